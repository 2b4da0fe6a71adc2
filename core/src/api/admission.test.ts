import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { Admission } from './admission.js'
import { BATCH_BODY_BYTES_MAX, BODIES_IN_FLIGHT_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/** The part of a request that admission looks at. */
function batch(headers: Record<string, string>): FastifyRequest {
  const request: unknown = { headers, routeOptions: { bodyLimit: BATCH_BODY_BYTES_MAX } }
  return request as FastifyRequest
}

test('bodies are admitted up to the limit, refused past it, and make room when they leave', () => {
  const admission = new Admission()
  const chunked = { 'transfer-encoding': 'chunked' }
  const count = BODIES_IN_FLIGHT_BYTES_MAX / BATCH_BODY_BYTES_MAX
  const admitted = Array.from({ length: count }, () => batch(chunked))
  for (const request of admitted) admission.enter(request)
  assert.equal(admission.inFlightBytes, BODIES_IN_FLIGHT_BYTES_MAX)
  const late = batch({ 'content-length': '1' })
  assert.throws(() => admission.enter(late), Problem)
  admission.leave(late)
  for (const request of admitted) admission.leave(request)
  for (const request of admitted) admission.leave(request)
  assert.equal(admission.inFlightBytes, 0, 'leaving twice frees once')
  admission.enter(late)
  assert.equal(admission.inFlightBytes, 1)
})

test('more than the route takes is not reserved: it is refused before it is read', () => {
  const admission = new Admission()
  admission.enter(batch({ 'content-length': '999999999999' }))
  assert.equal(admission.inFlightBytes, BATCH_BODY_BYTES_MAX)
})
