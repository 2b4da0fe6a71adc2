import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLoopDelayMemory, makeNote, readLoopDelay } from './loop-delay.js'

test('samples are counted in every bucket whose bound they keep; one that is early is not late', () => {
  const memory = makeLoopDelayMemory()
  const note = makeNote(memory)
  for (const lateMs of [-3, 0.5, 30, 2_000, 60_000]) note(lateMs)
  const { count, sumSeconds, buckets } = readLoopDelay(memory)
  assert.equal(count, 5)
  assert.ok(Math.abs(sumSeconds - 62.0305) < 1e-9)
  const upTo = new Map(buckets)
  assert.deepEqual(
    [0.001, 0.025, 0.05, 1, 5, 10].map((bound) => upTo.get(bound)),
    [2, 2, 3, 3, 4, 4],
  )
})
