import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isoInstant } from './iso-instant.js'

test('an instant is written as Date writes it, from 1970 to 9999', () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (at) => {
      assert.equal(isoInstant(at), new Date(at).toISOString())
    }),
    { numRuns: 2000 },
  )
})

test('leap days and turns of years come out right', () => {
  for (const text of [
    '2000-02-29T23:59:59.999Z',
    '2024-12-31T00:00:00.000Z',
    '2100-03-01T12:00:00.001Z',
  ]) {
    assert.equal(isoInstant(Date.parse(text)), text)
  }
})
