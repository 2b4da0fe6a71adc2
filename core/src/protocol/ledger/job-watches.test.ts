import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobWatches } from './job-watches.js'

test('those who wait are given once, in the order in which they came', () => {
  const watches = new JobWatches()
  for (const request of [3, 1, 2]) watches.add('job', request)
  watches.add('other', 4)
  assert.deepEqual(watches.take('job'), [3, 1, 2])
  assert.deepEqual(watches.take('job'), [])
  assert.deepEqual(watches.take('other'), [4])
})

test('a watch that was taken back is not answered; one that never was is no mistake', () => {
  const watches = new JobWatches()
  watches.add('job', 1)
  watches.add('job', 2)
  watches.remove(1)
  watches.remove(99)
  assert.deepEqual(watches.take('job'), [2])
  watches.remove(2)
})
