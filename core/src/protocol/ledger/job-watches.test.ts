import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobWatches } from './job-watches.js'

function setup() {
  const watches = new JobWatches()
  const add = (job: string, request: number): void =>
    watches.add(job, { request, query: { kind: 'watch-job', id: job } })
  const taken = (job: string): number[] => watches.take(job).map(({ request }) => request)
  return { watches, add, taken }
}

test('those who wait are given once, in the order in which they came', () => {
  const { add, taken } = setup()
  for (const request of [3, 1, 2]) add('job', request)
  add('other', 4)
  assert.deepEqual(taken('job'), [3, 1, 2])
  assert.deepEqual(taken('job'), [])
  assert.deepEqual(taken('other'), [4])
})

test('a watch that was taken back is not answered; one that never was is no mistake', () => {
  const { watches, add, taken } = setup()
  add('job', 1)
  add('job', 2)
  watches.remove(1)
  watches.remove(99)
  assert.deepEqual(taken('job'), [2])
  watches.remove(2)
})
