import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BeatReader, BeatWriter, makeBeatMemory, NOBODY, SilenceWatch } from './beat.js'

function setup(): SilenceWatch {
  const watch = new SilenceWatch({ warnMs: 1000, lookMs: 250 })
  watch.reset(10_000)
  watch.look(0, 7)
  return watch
}

test('a thread that beats is never suspected', () => {
  const watch = setup()
  for (let look = 1; look <= 100; look += 1) {
    assert.equal(watch.look(look * 250, 7 + look), 'heard')
  }
})

test('silence is suspicious once at 1,000 ms and blocked at 10,000 ms', () => {
  const watch = setup()
  const answers: string[] = []
  for (let look = 1; look <= 40; look += 1) answers.push(watch.look(look * 250, 7))
  assert.deepEqual(answers.slice(0, 5), ['quiet', 'quiet', 'quiet', 'suspicious', 'quiet'])
  assert.equal(answers.indexOf('blocked'), 39)
})

test('limits given with a reset hold from there on', () => {
  const watch = setup()
  watch.reset(30_000, 5_000)
  const answers = Array.from({ length: 21 }, (_, look) => watch.look(look * 250, 7))
  assert.equal(answers.indexOf('suspicious'), 20)
})

test('one beat forgives all silence before it', () => {
  const watch = setup()
  for (let look = 1; look <= 39; look += 1) watch.look(look * 250, 7)
  assert.equal(watch.look(10_000, 8), 'heard')
  assert.equal(watch.look(10_250, 8), 'quiet')
})

test('a process that was suspended for an hour blames its thread for two looks at most', () => {
  const watch = setup()
  assert.equal(watch.look(3_600_000, 7), 'quiet')
  assert.equal(watch.silentMs, 500)
})

test('the reader sees the beats and the owner that the writer set', () => {
  const memory = makeBeatMemory()
  const [writer, reader] = [new BeatWriter(memory), new BeatReader(memory)]
  assert.equal(reader.onCpu, NOBODY)
  writer.beat()
  writer.enter(42)
  assert.deepEqual([reader.count, reader.onCpu], [1, 42])
})

test('how many lines of an attempt wait is known of the newest attempts, by their serial', () => {
  const memory = makeBeatMemory()
  const [writer, reader] = [new BeatWriter(memory), new BeatReader(memory)]
  writer.noteHeld(5, 70)
  writer.noteHeld(6, 8)
  assert.deepEqual([reader.heldOf(5), reader.heldOf(6), reader.heldOf(7)], [70, 8, 0])
  writer.noteHeld(5 + 1024, 9)
  assert.deepEqual([reader.heldOf(5), reader.heldOf(5 + 1024)], [0, 9])
  assert.equal(reader.onCpu, NOBODY)
})
