import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../base/app-error.js'
import type { ScrubSlice } from '../ports/scrub.js'
import type { ArcDamage } from '../protocol/state/damage.js'
import { type ScrubProgress, StateScrub, type ScrubPolicy } from './state-scrub.js'

const POLICY: ScrubPolicy = {
  rowsMax: 2,
  charsMax: 1000,
  firstAfterMs: 5000,
  restTimes: 50,
  restMsMin: 100,
  passRestTimes: 500,
  passRestMsMin: 60_000,
  passRestMsMax: 90_000,
}

/** A store of five rows, each slice of which takes some milliseconds. */
function setup(sliceMs: number, damage?: AppError) {
  const asked: string[] = []
  const pauses: number[] = []
  const told: ScrubProgress[] = []
  const damages: ArcDamage[] = []
  let mono = 0
  let ring = (): void => {}
  const scrub = new StateScrub({
    store: {
      scrub: (fromKey): ScrubSlice => {
        asked.push(fromKey)
        mono += sliceMs
        if (fromKey === 'b' && damage !== undefined) throw damage
        if (fromKey === 'd') return { next: null, rows: 1 }
        return { next: fromKey === '' ? 'b' : 'd', rows: 2 }
      },
    },
    clock: {
      now: () => ({ mono, wall: 0 }),
      alarm: (delayMs, due) => {
        pauses.push(delayMs)
        ring = due
        return () => {}
      },
      soon: () => {},
    },
    damaged: (damage) => damages.push(damage),
    tell: (progress) => told.push(progress),
    policy: POLICY,
  })
  scrub.start()
  return { asked, pauses, told, damages, ring: () => ring() }
}

test('every row is verified again and again, each slice where the one before has ended', () => {
  const { asked, told, ring } = setup(1)
  for (let slice = 0; slice < 5; slice += 1) ring()
  assert.deepEqual(asked, ['', 'b', 'd', '', 'b'])
  assert.deepEqual(told[2], { rows: 5, passes: 1 })
  assert.deepEqual(told[4], { rows: 9, passes: 1 })
})

test('a scrub takes a fiftieth of the thread and rests long after a pass', () => {
  const { pauses, ring } = setup(10)
  for (let slice = 0; slice < 3; slice += 1) ring()
  // First pause, two slices of 10 ms, a pass of 30 ms: 15 s, raised to the least rest.
  assert.deepEqual(pauses, [5000, 500, 500, 60_000])
})

test('a state that is read in no time is not read without a pause, nor a slow one never again', () => {
  const fast = setup(0)
  fast.ring()
  assert.deepEqual(fast.pauses, [5000, 100])
  const slow = setup(100)
  for (let slice = 0; slice < 3; slice += 1) slow.ring()
  assert.equal(slow.pauses.at(-1), 90_000)
})

test('a row of one arc that has rotted is told, and the scrub goes on behind it', () => {
  const details = { key: '0003k', found: 'row 0003k has rotted' }
  const { asked, told, damages, ring } = setup(1, new AppError('state_damaged', 'rot', { details }))
  ring()
  ring()
  assert.deepEqual(damages, [{ arc: 3, ...details }])
  assert.deepEqual(told.at(-1), { rows: 3, passes: 0 })
  ring()
  assert.deepEqual(asked, ['', 'b', '0003k'])
})

test('what cannot be of one arc alone leaves the scrub as it came', () => {
  const error = new AppError('state_damaged', 'rows are out of order')
  const { ring } = setup(1, error)
  ring()
  assert.throws(ring, error)
})
