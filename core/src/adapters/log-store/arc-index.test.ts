import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogIndex } from '../../base/ids.js'
import { ArcIndex } from './arc-index.js'
import type { Row } from './format.js'

/** [first … last as a checkpoint tells, the runs that are there, first missing, last missing] */
const TABLE: readonly (readonly [Range, readonly Range[], LogIndex | null, LogIndex | null])[] = [
  [[1, 0], [], null, null],
  [[5, 4], [], null, null],
  [[1, 3], [], 1, 3],
  [[4, 9], [], 4, 9],
  [[1, 3], [[1, 3]], null, null],
  [[3, 9], [[1, 9]], null, null],
  [[1, 9], [[4, 9]], 1, 3],
  // Copies of older entries stand before, behind and between what is missing.
  [[1, 9], [[1, 3]], 4, 9],
  [
    [1, 9],
    [
      [1, 2],
      [5, 6],
    ],
    3,
    9,
  ],
  [
    [1, 9],
    [
      [1, 2],
      [5, 6],
      [7, 9],
    ],
    3,
    4,
  ],
]

type Range = readonly [LogIndex, LogIndex]

test('the first and the last entry that an arc should hold and does not are told', () => {
  for (const [range, runs, first, last] of TABLE) {
    const arc = new ArcIndex(1)
    arc.fold(rowOf('checkpoint', range), NOWHERE)
    for (const run of runs) arc.fold(rowOf('relocate', run), NOWHERE)
    const what = JSON.stringify([range, runs])
    assert.deepEqual([arc.firstMissing(), arc.lastMissing()], [first, last], what)
  }
})

const NOWHERE = { segment: 1, position: 0, bytes: 1, crc: 0 }

function rowOf(kind: Row['kind'], [first, last]: Range): Row {
  return { kind, arc: 1, term: 1, vote: null, first, last, lastTerm: 1 }
}
