import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conditionOf, etagOf } from './etag.js'
import { Problem } from './problem.js'

test('strong tags, the star and nothing become conditions', () => {
  assert.equal(conditionOf({}), undefined)
  assert.deepEqual(conditionOf({ 'if-match': '*' }), { kind: 'exists' })
  assert.deepEqual(conditionOf({ 'if-none-match': ' * ' }), { kind: 'absent' })
  assert.deepEqual(conditionOf({ 'if-match': etagOf(42) }), { kind: 'version', version: 42 })
})

test('well-formed tags that were never given out match no version', () => {
  for (const tag of [
    '"zebra"',
    '""',
    '"01"',
    '"-1"',
    '"1.5"',
    '"9999999999999999"',
    '"99999999999999999999"',
  ]) {
    assert.deepEqual(conditionOf({ 'if-match': tag }), { kind: 'version', version: -1 }, tag)
  }
})

test('weak tags, lists, bare numbers and both headers are refused', () => {
  const bad = [
    { 'if-match': 'W/"1"' },
    { 'if-match': '"1", "2"' },
    { 'if-match': '1' },
    { 'if-match': '' },
    { 'if-match': '"1' },
    { 'if-none-match': '"1"' },
    { 'if-match': '*', 'if-none-match': '*' },
  ]
  for (const headers of bad) {
    const refused = (error: unknown) =>
      error instanceof Problem && error.code === 'invalid_condition'
    assert.throws(() => conditionOf(headers), refused, JSON.stringify(headers))
  }
})
