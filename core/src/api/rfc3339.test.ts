import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from './problem.js'
import { parseInstant } from './rfc3339.js'

const at = (text: string): number => parseInstant(text, '/runAt')

test('an instant is read in every form of RFC 3339', () => {
  const noon = Date.UTC(2028, 1, 29, 12)
  assert.equal(at('2028-02-29T12:00:00Z'), noon)
  assert.equal(at('2028-02-29t12:00:00z'), noon)
  assert.equal(at('2028-02-29T14:30:00+02:30'), noon)
  assert.equal(at('2028-02-29T11:00:00.25-01:00'), noon + 250)
  assert.equal(at('2028-02-29T12:00:00.123456789Z'), noon + 123)
  assert.equal(at('2000-02-29T23:59:59-00:00'), Date.UTC(2000, 1, 29, 23, 59, 59))
})

test('a day or time that does not exist is refused, never moved to another', () => {
  for (const text of [
    '2030-02-30T00:00:00Z',
    '2030-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2030-04-31T00:00:00Z',
    '2030-00-10T00:00:00Z',
    '2030-13-10T00:00:00Z',
    '2030-01-00T00:00:00Z',
    '2030-01-32T00:00:00Z',
    '2030-01-01T24:00:00Z',
    '2030-01-01T00:60:00Z',
    '2030-06-30T23:59:60Z',
    '2030-01-01T00:00:00+24:00',
    '2030-01-01T00:00:00+01:60',
  ]) {
    const isRefused = (error: unknown): boolean =>
      error instanceof Problem && /does not exist, or is a leap second/.test(error.message)
    assert.throws(() => at(text), isRefused, text)
  }
})

test('what is no instant is told how one looks', () => {
  for (const text of ['', 'tomorrow', '2030-01-31', '2030-01-31T12:00Z', '2030-01-31T12:00:00']) {
    assert.throws(() => at(text), /runAt must be an RFC 3339 instant such as/, text)
  }
})
