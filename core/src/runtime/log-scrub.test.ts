import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogScrubSlice } from '../ports/log-store.js'
import type { LogScrubProgress } from '../protocol/node/engine-types.js'
import { LogScrub } from './log-scrub.js'
import type { ScrubPauses } from './scrub-pace.js'

const PAUSES: ScrubPauses = {
  firstAfterMs: 5000,
  restTimes: 50,
  restMsMin: 100,
  passRestTimes: 500,
  passRestMsMin: 600_000,
  passRestMsMax: 700_000,
}

/** A log of two pieces; reading each takes a second, verifying it some milliseconds. */
function setup(sliceMs: number) {
  const pauses: number[] = []
  const told: LogScrubProgress[] = []
  let mono = 0
  let piece = 0
  let ring = (): void => {}
  let arrive = (): void => {}
  const scrub = new LogScrub({
    log: {
      scrubNext: (ready) => {
        arrive = () => {
          mono += 1000
          ready((): LogScrubSlice => {
            mono += sliceMs
            piece = (piece + 1) % 3
            const isPassOver = piece === 0
            return {
              segments: piece === 2 ? 1 : 0,
              bytes: isPassOver ? 0 : 10,
              isPassOver,
              rot: null,
            }
          })
        }
      },
    },
    clock: {
      now: () => ({ mono, wall: mono * 2 }),
      alarm: (delayMs, due) => {
        pauses.push(delayMs)
        ring = due
        return () => {}
      },
      soon: () => {},
    },
    tell: (progress) => told.push(progress),
    pauses: PAUSES,
  })
  scrub.start()
  const turn = (): void => {
    ring()
    arrive()
  }
  return { pauses, told, turn, ring: () => ring() }
}

test('all pieces are verified again and again, and how far that is is told', () => {
  const { told, turn } = setup(2)
  for (let turns = 0; turns < 4; turns += 1) turn()
  assert.deepEqual(told, [
    { segments: 0, bytes: 10, passes: 0, lastPassAt: null },
    { segments: 1, bytes: 20, passes: 0, lastPassAt: null },
    { segments: 1, bytes: 20, passes: 1, lastPassAt: 6012 },
    { segments: 1, bytes: 30, passes: 1, lastPassAt: 6012 },
  ])
})

test("it rests in proportion to the thread's time, not to the disk's", () => {
  const { pauses, turn } = setup(4)
  for (let turns = 0; turns < 3; turns += 1) turn()
  assert.deepEqual(pauses, [5000, 200, 200, 600_000])
})

test('a disk that does not answer is not asked again', () => {
  const { pauses, told, ring } = setup(4)
  ring()
  assert.deepEqual([pauses, told], [[5000], []])
})
