import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { BeatReader, BeatWriter, makeBeatMemory } from './beat.js'
import { Heart } from './heart.js'

const BEAT_MS = 50

test('the heart beats exactly as long as some work is not over, in whatever order it ends', (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.after(() => mock.timers.reset())
  const memory = makeBeatMemory()
  const reader = new BeatReader(memory)
  const heart = new Heart(new BeatWriter(memory), BEAT_MS)
  const isBeating = (): boolean => {
    const before = reader.count
    mock.timers.tick(BEAT_MS)
    return reader.count > before
  }
  assert.equal(isBeating(), false)
  const quick = heart.begin()
  quick()
  assert.equal(isBeating(), false)
  const slow = heart.begin()
  quick()
  assert.equal(isBeating(), true)
  const other = heart.begin()
  slow()
  slow()
  assert.equal(isBeating(), true)
  other()
  assert.equal(isBeating(), false)
})
