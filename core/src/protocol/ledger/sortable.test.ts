import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sortable, sortableAt } from './rows-layout.js'

/** What 13 hex digits hold. */
const LARGEST = 2 ** 52 - 1

test('numbers in keys sort as they do, and are read back as they were', () => {
  const edges = [0, 1, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 1_795_402_853_033, LARGEST]
  const numbers = fc.oneof(
    fc.constantFrom(...edges),
    fc.nat({ max: 2 ** 31 - 1 }),
    fc.maxSafeNat().map((n) => n % (LARGEST + 1)),
  )
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      assert.equal(sortable(a), a.toString(16).padStart(13, '0'))
      assert.equal(sortable(a) < sortable(b), a < b)
      assert.equal(sortableAt(`t/${sortable(a)}/x`, 2), a)
    }),
  )
})
