import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { coverOf, type DurableState } from './log-cover.js'

/** [durable applied index, newest entry given up, first entry that an unhurt log holds, wanted] */
const SOUND: readonly (readonly [LogIndex | null, LogIndex, LogIndex | null, Wanted])[] = [
  [10, 10, null, 'covered'],
  [11, 10, null, 'covered'],
  [9, 10, null, 'lacking'],
  [null, 1, null, 'lacking'],
  // What the damage has not hit can be kept, from the first entry that the state lacks.
  [9, 10, 1, 10],
  [9, 10, 10, 10],
  [9, 10, 11, 'lacking'],
  [null, 4, 1, 1],
  [10, 10, 1, 'covered'],
]

/** The same of an arc whose rows have rotted: applied is what it had applied before. */
const ROTTEN: typeof SOUND = [
  // It stands still, and hides nothing that was not applied.
  [10, 10, null, 'covered'],
  [10, 10, 2, 'covered'],
  [9, 10, null, 'lacking'],
  [9, 10, 2, 'lacking'],
  // It is built again from its first entry.
  [10, 10, 1, 1],
  [0, 10, 1, 1],
]

type Wanted = 'covered' | 'lacking' | LogIndex

test('a log may give up what the state holds durably, and what can be kept', () => {
  for (const [index, upTo, first, wanted] of SOUND) {
    const applied = index === null ? [] : [[ARC, index] as const]
    assert.equal(verdict({ applied, damaged: [] }, upTo, first), wanted, `${index}, ${upTo}`)
  }
})

test('an arc whose rows have rotted needs its log from the first entry on, or stands still', () => {
  for (const [index, upTo, first, wanted] of ROTTEN) {
    const damaged = [[ARC, 'rot', index ?? 0] as const]
    assert.equal(verdict({ applied: [], damaged }, upTo, first), wanted, `${index}, ${upTo}`)
  }
})

test('of arcs that lose nothing, nothing is asked', () => {
  const price = { cost: new Map(), whole: new Map(), ranges: new Map() }
  const cover = coverOf(price, { applied: [], damaged: [] })
  assert.deepEqual(cover, { kind: 'covered', keep: new Map() })
})

test('nothing is given up for a state that does not go with the log', () => {
  const price = { cost: new Map([[ARC, 5]]), whole: new Map(), ranges: rangesOf(1, 9) }
  const told = (state: Partial<DurableState>, ranges = price.ranges): string => {
    const cover = coverOf({ ...price, ranges }, { applied: [], damaged: [], ...state })
    return cover.kind === 'lacking' ? cover.message : ''
  }
  assert.equal(told({ applied: [[ARC, 9]] }), '')
  assert.match(
    told({ applied: [[ARC, 10]] }),
    /has applied entry 10 of arc 3, but the log ends at 9/,
  )
  const other = [
    [ARC, 9],
    [4, 1],
  ] as const
  assert.match(told({ applied: other }), /has applied entry 1 of arc 4, but the log ends at 0/)
  assert.match(told({}, rangesOf(7, 9)), /lacks entries 1 to 6 of arc 3/)
  assert.match(told({ damaged: [[ARC, 'rot', 10]] }), /but the log ends at 9/)
  assert.equal(told({ damaged: [[ARC, 'rot', 5]] }, rangesOf(7, 9)), '')
})

test('it says which arc the state lacks entries of, how far it holds it, and how many others there are', () => {
  const cost = new Map([
    [7, 5],
    [3, 9],
    [4, 1],
  ])
  const price = { cost, whole: new Map(), ranges: rangesOf(1, 9) }
  const cover = coverOf(price, { applied: [[3, 2]], damaged: [] })
  assert.equal(cover.kind, 'lacking')
  assert.match(
    cover.kind === 'lacking' ? cover.message : '',
    /holds arc 3 up to entry 2, and entries up to 9 stood there.*of 2 more arcs$/,
  )
})

const ARC: ArcId = 3

function rangesOf(firstIndex: LogIndex, lastIndex: LogIndex) {
  return new Map([[ARC, { firstIndex, lastIndex }]])
}

function verdict(state: DurableState, upTo: LogIndex, first: LogIndex | null): Wanted {
  const whole = new Map(first === null ? [] : [[ARC, first]])
  const price = { cost: new Map([[ARC, upTo]]), whole, ranges: rangesOf(1, 20) }
  const cover = coverOf(price, state)
  if (cover.kind === 'lacking') return 'lacking'
  return cover.keep.get(ARC) ?? 'covered'
}
