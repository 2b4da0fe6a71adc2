import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeVitalsMemory, readVitals, VitalsNotes } from './thread-vitals.js'

test('a sample counts in the first bucket whose bound it keeps; one that is early is not late', () => {
  const memory = makeVitalsMemory()
  const notes = new VitalsNotes(memory)
  for (const lateMs of [-3, 0.5, 30, 2_000, 60_000]) notes.late(lateMs)
  const { bounds, counts, sum } = readVitals(memory).loopDelay
  const counted = new Map([...bounds, 'more'].map((bound, place) => [bound, counts[place]]))
  assert.deepEqual(
    [...counted].filter(([, count]) => count !== 0),
    [
      [0.001, 2],
      [0.05, 1],
      [5, 1],
      ['more', 1],
    ],
  )
  assert.ok(Math.abs(sum - 62.0305) < 1e-9)
})

test("a thread's heap is what it was at the last look", () => {
  const memory = makeVitalsMemory()
  assert.equal(readVitals(memory).heapUsed, 0)
  new VitalsNotes(memory).heap()
  const { heapUsed, heapTotal, external } = readVitals(memory)
  assert.ok(heapUsed > 1e6 && heapTotal >= heapUsed && external > 0)
})
