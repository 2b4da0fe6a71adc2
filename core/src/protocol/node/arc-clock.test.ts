import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArcClock } from './arc-clock.js'

const HOUR = 3_600_000

test('at the start of a term it jumps forward to the wall clock, over the downtime', () => {
  const clock = new ArcClock(1_000, 0, 500_000)
  assert.equal(clock.read(0, 500_000), 500_000)
})

test('it never starts before the last entry, even when the wall clock went back', () => {
  const clock = new ArcClock(500_000, 0, 1_000)
  assert.equal(clock.read(0, 1_000), 500_000)
})

test('a wall clock that jumps an hour ahead moves it by at most a tenth of the time passed', () => {
  const clock = new ArcClock(0, 0, 1_000_000)
  assert.equal(clock.read(1_000, 1_001_000 + HOUR), 1_001_100)
})

test('a wall clock that jumps an hour back slows it by a tenth and never turns it back', () => {
  const clock = new ArcClock(0, 0, 1_000_000)
  assert.equal(clock.read(1_000, 1_001_000 - HOUR), 1_000_900)
  assert.equal(clock.read(1_000, 0), 1_000_900)
})

test('it closes a small gap to the wall clock and then keeps to it', () => {
  const clock = new ArcClock(1_000_050, 0, 1_000_000)
  assert.equal(clock.read(400, 1_000_400), 1_000_410)
  assert.equal(clock.read(1_000, 1_001_000), 1_001_000)
  assert.equal(clock.read(2_000, 1_002_000), 1_002_000)
})

test('slewing is not lost when it is read every tenth of a millisecond', () => {
  const clock = new ArcClock(0, 0, 1_000_000)
  for (let i = 1; i <= 10_000; i += 1) clock.read(i / 10, 1_000_000 + i / 10 + HOUR)
  const slewed = clock.read(1_000, 1_001_000 + HOUR)
  assert.ok(slewed === 1_001_100 || slewed === 1_001_099, `${slewed}: one rounding at most`)
})
