import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantOfJobId } from '../base/ids.js'
import { callStamp, checkedKey, idempotencyKeyOf, submissionStamp } from './idempotency.js'
import { JobIds } from './job-ids.js'
import { Problem } from './problem.js'

const echo = { service: 'test.echo', input: { b: 1, a: [1.0, 'ä'] } }

test('the fingerprint knows neither member order nor key nor notAfter, but every value', () => {
  const { fingerprint } = submissionStamp('k', echo)
  const same = [
    { input: { a: [1, 'ä'], b: 1 }, service: 'test.echo' },
    { ...echo, idempotencyKey: 'k' },
    { ...echo, notAfter: '2030-01-01T00:00:00Z' },
  ]
  for (const each of same) assert.equal(submissionStamp('k', each).fingerprint, fingerprint)
  const others = [
    { ...echo, input: { b: 1, a: ['ä', 1] } },
    { ...echo, input: { b: '1', a: [1, 'ä'] } },
    { ...echo, retry: {} },
    { service: 'test.echo' },
  ]
  for (const each of others) assert.notEqual(submissionStamp('k', each).fingerprint, fingerprint)
})

test('submissions share one key space; other calls have one for each method and path', () => {
  const call = { method: 'POST', path: '/a', request: {} }
  const keys = [
    submissionStamp('k', echo).key,
    submissionStamp('l', echo).key,
    callStamp('k', call).key,
    callStamp('k', { ...call, path: '/b' }).key,
    callStamp('k', { ...call, method: 'PUT' }).key,
  ]
  assert.equal(new Set(keys).size, keys.length)
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/)
  assert.equal(submissionStamp('k', { service: 'other' }).key, keys[0])
})

/** A request with these headers of the name, as Node tells of them. */
function keyed(...keys: string[]): Parameters<typeof idempotencyKeyOf>[0] {
  return {
    headers: { 'idempotency-key': keys.join(', ') },
    headersDistinct: { 'idempotency-key': keys },
  }
}

test('the header is given once and has 1 to 512 bytes', () => {
  const keyOf = (...keys: string[]) => idempotencyKeyOf(keyed(...keys))
  assert.equal(idempotencyKeyOf({ headers: {}, headersDistinct: {} }), undefined)
  assert.equal(keyOf('x'.repeat(512)), 'x'.repeat(512))
  for (const bad of [[''], ['x'.repeat(513)], ['a', 'b'], ['a', 'a']]) {
    assert.throws(() => keyOf(...bad), Problem)
  }
})

test('the bytes of the header are UTF-8, as in a body', () => {
  // Node gives each byte of a header as a character.
  const sent = (bytes: Uint8Array) => keyed(Buffer.from(bytes).toString('latin1'))
  for (const key of ['bestellung-größe', '注文-1', '\uFEFFa', 'ascii']) {
    assert.equal(idempotencyKeyOf(sent(Buffer.from(key))), key)
  }
  const latin1 = sent(Buffer.from('größe', 'latin1'))
  assert.throws(() => idempotencyKeyOf(latin1), {
    code: 'invalid_request',
    message: /Idempotency-Key.*UTF-8/,
  })
})

test('a key is measured in bytes, not in characters', () => {
  assert.equal(checkedKey('ü'.repeat(256), '/x').length, 256)
  assert.throws(() => checkedKey('ü'.repeat(257), '/x'), Problem)
})

test('a job with a key stands at the place of its key, under a new ID each time', () => {
  const ids = new JobIds()
  const stamp = submissionStamp('k', echo)
  const minted = Array.from({ length: 2000 }, () => ids.mint(stamp))
  assert.equal(new Set(minted).size, 2000)
  for (const id of minted) assert.equal(id.slice(0, 4), stamp.key.slice(0, 4))
})

test('jobs without a key share a place for one turn of the loop and then get another', async () => {
  const ids = new JobIds()
  const places = new Set<string>()
  for (let turn = 0; turn < 50; turn += 1) {
    const inTurn = new Set([ids.mint(undefined), ids.mint(undefined)].map((id) => id.slice(0, 4)))
    assert.equal(inTurn.size, 1)
    places.add([...inTurn].join())
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(places.size > 40, `${places.size} places in 50 turns`)
})

test('an ID carries the instant at which it was minted', () => {
  const before = Date.now()
  const at = instantOfJobId(new JobIds().mint(undefined))
  assert.ok(at >= before && at <= Date.now())
})
