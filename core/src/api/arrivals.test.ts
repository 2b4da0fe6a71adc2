import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { Admission } from './admission.js'
import { Arrivals } from './arrivals.js'
import {
  BATCH_BODY_BYTES_MAX,
  BODIES_IN_FLIGHT_BYTES_MAX,
  BODY_GIVES_WAY_MS,
  BODY_PACE_BYTES,
  BODY_PACE_MS,
} from './limits.js'

function setup() {
  let now = 0
  const arrivals = new Arrivals(() => now)
  const admission = new Admission(arrivals)
  const refused = new Map<string, string>()
  const begin = (name: string): FastifyRequest => {
    const request: unknown = { headers: {}, bytesInFlight: 0 }
    admission.begin(request as FastifyRequest, ({ code }) => refused.set(name, code))
    return request as FastifyRequest
  }
  const pass = (ms: number): void => {
    now += ms
    arrivals.refuseSlow()
  }
  return { arrivals, admission, refused, begin, pass }
}

test('a body that stops coming is refused after a while, one that comes at the least pace is not', () => {
  const { admission, refused, begin, pass } = setup()
  const slow = begin('slow')
  const steady = begin('steady')
  admission.take(slow, 1_000_000)
  admission.take(steady, BODY_PACE_BYTES)
  pass(BODY_PACE_MS)
  assert.equal(refused.size, 0, 'much has come of it')
  for (let time = 0; time < 5; time += 1) {
    admission.take(slow, time === 0 ? BODY_PACE_BYTES - 1 : 0)
    admission.take(steady, BODY_PACE_BYTES)
    pass(BODY_PACE_MS)
  }
  assert.deepEqual([...refused], [['slow', 'request_timeout']])
})

test('a body that falls silent is refused, however much has come of it before', () => {
  const { admission, refused, begin, pass } = setup()
  const stalled = begin('stalled')
  admission.take(stalled, 1_000_000)
  pass(BODY_PACE_MS)
  assert.equal(refused.size, 0, 'not longer than the pace allows')
  pass(1)
  assert.deepEqual([...refused], [['stalled', 'request_timeout']])
})

test('stalled bodies that fill the memory make room for one that comes, the longest silent first', () => {
  const { admission, refused, begin, pass } = setup()
  const count = BODIES_IN_FLIGHT_BYTES_MAX / BATCH_BODY_BYTES_MAX
  const stalled = Array.from({ length: count }, (_, number) => begin(`stalled ${number}`))
  for (const request of stalled.toReversed()) {
    admission.take(request, BATCH_BODY_BYTES_MAX)
    pass(1)
  }
  const late = begin('late')
  assert.throws(() => admission.take(late, 1), { code: 'overloaded' }, 'they may be on their way')
  pass(BODY_GIVES_WAY_MS)
  admission.take(late, BATCH_BODY_BYTES_MAX)
  assert.deepEqual([...refused], [[`stalled ${count - 1}`, 'overloaded']])
  assert.equal(admission.inFlightBytes, BODIES_IN_FLIGHT_BYTES_MAX)
})

test('a body that is all there is worked on and gives way to nobody', () => {
  const { admission, refused, begin, pass } = setup()
  const whole = begin('whole')
  admission.take(whole, BODIES_IN_FLIGHT_BYTES_MAX)
  admission.end(whole)
  pass(10 * BODY_PACE_MS)
  assert.throws(() => admission.take(begin('late'), 1), { code: 'overloaded' })
  assert.equal(refused.size, 0)
})
