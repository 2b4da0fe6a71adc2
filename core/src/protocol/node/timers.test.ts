import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcId, Instant } from '../../base/ids.js'
import { TIMERS_LOOK_MS } from './limits.js'
import { Timers } from './timers.js'

/** Arcs whose clocks are `ahead` of the monotonic one. */
function setup(ahead: Instant = 0): { timers: Timers; looks: ArcId[]; pull: (ms: number) => void } {
  const looks: ArcId[] = []
  let pulled = ahead
  const timers = new Timers((arc, at) => {
    looks.push(arc)
    return at - pulled
  })
  return {
    timers,
    looks,
    pull: (ms) => {
      pulled += ms
    },
  }
}

test('a busy node that asks at every turn does not look at every arc each time', () => {
  const { timers, looks } = setup()
  for (let arc = 0; arc < 256; arc += 1) timers.set(arc, 60_000)
  assert.equal(timers.earliest(0), 60_000)
  looks.length = 0
  for (let turn = 1; turn < TIMERS_LOOK_MS; turn += 1) {
    timers.set(turn % 256, 60_000 + turn)
    timers.earliest(turn)
  }
  assert.equal(looks.length, TIMERS_LOOK_MS - 1)
})

test('a timer that comes before all others is the earliest at once', () => {
  const { timers } = setup()
  assert.equal(timers.earliest(0), null)
  timers.set(1, 60_000)
  assert.equal(timers.earliest(1), 60_000)
  timers.set(2, 500)
  assert.equal(timers.earliest(2), 500)
})

test('an alarm for a timer that has moved away finds nothing due, and is set for the right one then', () => {
  const { timers } = setup()
  timers.set(1, 100)
  timers.set(1, 900)
  assert.equal(timers.earliest(10), 900)
  timers.set(2, 50)
  timers.set(2, null)
  assert.equal(timers.earliest(20), 50)
  assert.deepEqual(timers.takeDue(50), [])
  assert.equal(timers.earliest(50), 900)
})

test('a due arc is taken once, until it tells its next timer', () => {
  const { timers } = setup()
  timers.set(1, 100)
  timers.set(2, 200)
  timers.set(3, 100)
  assert.deepEqual(timers.takeDue(100), [1, 3])
  assert.deepEqual(timers.takeDue(100), [])
  assert.equal(timers.earliest(100), 200)
  timers.set(1, 150)
  assert.deepEqual(timers.takeDue(150), [1])
})

test('that a clock was pulled along is seen when all arcs are looked at again', () => {
  const { timers, pull } = setup()
  timers.set(1, 5000)
  assert.equal(timers.earliest(0), 5000)
  pull(100)
  assert.equal(timers.earliest(TIMERS_LOOK_MS - 1), 5000)
  assert.equal(timers.earliest(TIMERS_LOOK_MS), 4900)
})
