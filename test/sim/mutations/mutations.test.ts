import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCheckers } from '../checkers/all.js'
import { drawOptions } from '../swarm.js'
import { World } from '../world.js'
import { MUTATIONS } from './list.js'
import { runMutations } from './run-mutations.js'

const options = drawOptions(1)
const checkers = makeCheckers(new World(options, { print: null, goesOn: false }), options)
const checkerNames = checkers.map(({ name }) => name)

test('every checker has a planted bug that it must catch by itself', () => {
  const proven = new Set(MUTATIONS.flatMap(({ caughtBy }) => caughtBy))
  const unproven = checkerNames.filter((name) => !proven.has(name))
  assert.deepEqual(unproven, [], 'add a mutation that names the checker in caughtBy')
})

test('every planted bug has its own name and something known that must catch it', () => {
  const names = MUTATIONS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  const catchers = new Set([...checkerNames, 'crash', 'standstill'])
  for (const { name, caughtBy } of MUTATIONS) {
    assert.ok(caughtBy.length > 0, `${name} names nothing that must catch it`)
    const strangers = caughtBy.filter((catcher) => !catchers.has(catcher))
    assert.deepEqual(strangers, [], `${name} is to be caught by what does not exist`)
  }
})

test('every planted bug is caught by everything that must, under the seeds kept for it', async () => {
  const code = await runMutations(undefined, { all: false })
  assert.equal(code, 0, 'a mutation survives; the lines above say which')
})
