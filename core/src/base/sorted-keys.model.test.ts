import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SortedKeys } from './sorted-keys.js'

const KEY = fc.nat({ max: 3000 }).map((n) => n.toString(36))
const STEP = fc.record({ add: fc.boolean(), key: KEY })

test('sorted keys answer every range as a sorted list would', () => {
  const property = fc.property(fc.array(STEP, { maxLength: 300 }), KEY, KEY, (steps, from, to) => {
    const keys = new SortedKeys()
    const model = new Set<string>()
    for (const { add, key } of steps) {
      const changed = add ? !model.has(key) : model.has(key)
      assert.equal(add ? keys.add(key) : keys.delete(key), changed)
      if (add) model.add(key)
      else model.delete(key)
    }
    const expected = [...model].sort().filter((key) => key >= from && key < to)
    assert.equal(keys.size, model.size)
    assert.deepEqual(keys.range(from, to, 1000), expected)
    assert.deepEqual(keys.range(from, to, 3), expected.slice(0, 3))
    assert.equal(keys.first(from, to), expected[0])
    expected.reverse()
    assert.deepEqual(keys.rangeReverse(from, to, 1000), expected)
    assert.deepEqual(keys.rangeReverse(from, to, 3), expected.slice(0, 3))
  })
  fc.assert(property, { numRuns: 200, verbose: true })
})

test('ten thousand keys in any order of arrival come out sorted', () => {
  const sorted = Array.from({ length: 10_000 }, (_, n) => String(n).padStart(5, '0'))
  const arrivals = [
    sorted,
    [...sorted].reverse(),
    sorted.map((_, n) => sorted[(n * 7919) % 10_000] ?? ''),
  ]
  for (const arrival of arrivals) {
    const keys = new SortedKeys()
    for (const key of arrival) keys.add(key)
    assert.deepEqual(keys.range('', 'z', 20_000), sorted)
    assert.deepEqual(keys.rangeReverse('', 'z', 20_000), sorted.toReversed())
    assert.deepEqual(keys.rangeReverse('', '05000', 2), ['04999', '04998'])
    for (const key of arrival.slice(0, 9_999)) assert.ok(keys.delete(key))
    assert.deepEqual(keys.range('', 'z', 10), arrival.slice(9_999))
  }
})
