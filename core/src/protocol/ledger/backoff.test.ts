import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../base/prng.js'
import { backoffMs } from './backoff.js'
import { retry } from './testing/plans.js'

const dice = (): Prng => new Prng(1)

test('the delay doubles from attempt to attempt up to its bound', () => {
  const policy = retry(9, { delayMs: 1000, factorMilli: 2000, maxDelayMs: 5000 })
  const delays = [1, 2, 3, 4, 5].map((failures) => backoffMs(policy, failures, dice))
  assert.deepEqual(delays, [1000, 2000, 4000, 5000, 5000])
})

test('a factor of thousandths is cut to whole milliseconds at each step', () => {
  const policy = retry(9, { delayMs: 333, factorMilli: 1500, maxDelayMs: 100_000 })
  const delays = [1, 2, 3].map((failures) => backoffMs(policy, failures, dice))
  assert.deepEqual(delays, [333, 499, 748])
})

test('the longest delay and the largest factor stay exact integers', () => {
  const tenYears = 3650 * 24 * 3600 * 1000
  const policy = retry(9, { delayMs: tenYears - 1, factorMilli: 100_000, maxDelayMs: tenYears })
  assert.equal(backoffMs(policy, 2, dice), tenYears)
})

test('a thousandth attempt costs no thousand steps once the delay stands still', () => {
  const policy = retry(1000, { delayMs: 1, factorMilli: 1001, maxDelayMs: 1_000_000 })
  assert.equal(backoffMs(policy, 1_000_000_000, dice), 1)
})

test('jitter draws between half of the delay and all of it, and reaches both', () => {
  const policy = retry(2, { delayMs: 10, jitter: true })
  const prng = new Prng(7)
  const drawn = new Set(Array.from({ length: 300 }, () => backoffMs(policy, 1, () => prng)))
  assert.deepEqual(
    [...drawn].sort((a, b) => a - b),
    [5, 6, 7, 8, 9, 10],
  )
})

test('without jitter no dice are drawn', () => {
  const forbidden = (): Prng => assert.fail('drew')
  assert.equal(backoffMs(retry(2, { delayMs: 10 }), 1, forbidden), 10)
})
