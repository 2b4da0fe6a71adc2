import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistogramFigures } from '../../base/histogram.js'
import { EngineTally } from './engine-tally.js'

function seen({ bounds, counts }: HistogramFigures): (number | undefined)[] {
  return counts.flatMap((count, place) => Array.from({ length: count }, () => bounds[place]))
}

test('a batch counts when it is synced: its size, the sync, and how long each command waited for it', () => {
  const tally = new EngineTally()
  tally.batchTaken({ takenAts: [90, 99.9] }, 100)
  assert.deepEqual(seen(tally.figures.commitSeconds), [])
  tally.batchSynced(103)
  const { batchCommands, syncSeconds, commitSeconds } = tally.figures
  assert.deepEqual(seen(batchCommands), [2])
  assert.deepEqual(seen(syncSeconds), [0.004])
  assert.deepEqual(seen(commitSeconds), [0.004, 0.016])
})

test('refusals count by code, and each code stands at 0 before', () => {
  const tally = new EngineTally()
  tally.refused('overloaded')
  tally.refused('overloaded')
  const { refusals } = tally.figures
  assert.deepEqual(refusals, {
    not_ready: 0,
    payload_too_large: 0,
    overloaded: 2,
    apply_stopped: 0,
    arc_unavailable: 0,
  })
})
