import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairTurns } from './fair-turns.js'

/** Turns of 10 ms on a thread whose every piece of work takes 4 ms. */
function setup(turnMs = 10) {
  let now = 0
  const later: (() => void)[] = []
  const done: string[] = []
  const turns = new FairTurns<object>({ now: () => now, later: (go) => later.push(go) }, turnMs)
  const run = (line: object, name: string): void => {
    void turns.run(line, () => {
      now += 4
      done.push(name)
    })
  }
  const turn = (): void => {
    for (const go of later.splice(0)) go()
  }
  return { turns, run, turn, done, later }
}

test('work goes at once while the turn has time, and the rest after others were heard', () => {
  const { run, turn, done } = setup()
  const line = {}
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) run(line, name)
  assert.deepEqual(done, ['a', 'b', 'c'])
  turn()
  assert.deepEqual(done, ['a', 'b', 'c', 'd', 'e', 'f'])
  turn()
  assert.equal(done.length, 7)
})

test('lines take turns: who brings much does not keep others waiting for all of it', () => {
  const { turns, run, turn, done } = setup(0)
  const [many, one] = [{}, {}]
  for (const name of ['m1', 'm2', 'm3', 'm4']) run(many, name)
  run(one, 'o')
  assert.equal(turns.waiting, 2)
  for (let count = 0; count < 4; count += 1) turn()
  assert.deepEqual(done, ['m1', 'm2', 'o', 'm3', 'm4'])
})

test('nothing is left to be called when nobody waits, and what throws rejects its own promise', async () => {
  const { turns, run, turn, done, later } = setup()
  await assert.rejects(
    turns.run({}, () => {
      throw new Error('mine')
    }),
    /mine/,
  )
  run({}, 'a')
  while (later.length > 0) turn()
  assert.deepEqual(done, ['a'])
  assert.equal(turns.waiting, 0)
})
