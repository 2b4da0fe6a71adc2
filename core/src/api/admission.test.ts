import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { Admission } from './admission.js'
import { BATCH_BODY_BYTES_MAX, BODIES_IN_FLIGHT_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/** The part of a request that admission looks at. */
function batch(headers: Record<string, string>): FastifyRequest {
  const request: unknown = { headers, bodyBytesMax: BATCH_BODY_BYTES_MAX, bytesInFlight: 0 }
  return request as FastifyRequest
}

const CHUNKED = { 'transfer-encoding': 'chunked' }

test('bodies are taken up to the limit, refused past it, and make room when they leave', () => {
  const admission = new Admission()
  const count = BODIES_IN_FLIGHT_BYTES_MAX / BATCH_BODY_BYTES_MAX
  const admitted = Array.from({ length: count }, () => batch(CHUNKED))
  for (const request of admitted) admission.take(request, BATCH_BODY_BYTES_MAX)
  assert.equal(admission.inFlightBytes, BODIES_IN_FLIGHT_BYTES_MAX)
  const late = batch({ 'content-length': '1' })
  assert.throws(() => admission.enter(late), Problem)
  assert.throws(() => admission.take(late, 1), Problem)
  admission.leave(late)
  for (const request of admitted) admission.leave(request)
  for (const request of admitted) admission.leave(request)
  assert.equal(admission.inFlightBytes, 0, 'leaving twice frees once')
  admission.enter(late)
  admission.take(late, 1)
  assert.equal(admission.inFlightBytes, 1)
})

test('what is announced and has not come keeps nobody out', () => {
  const admission = new Admission()
  const length = String(BATCH_BODY_BYTES_MAX)
  const slow = Array.from({ length: 1000 }, () => batch({ 'content-length': length }))
  for (const request of slow) {
    admission.enter(request)
    admission.take(request, 1)
  }
  assert.equal(admission.inFlightBytes, slow.length)
  admission.enter(batch({ 'content-length': length }))
})

test('more than the route takes is not called overload', () => {
  const admission = new Admission()
  admission.enter(batch({ 'content-length': '999999999999' }))
  assert.equal(admission.inFlightBytes, 0)
})
