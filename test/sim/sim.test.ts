import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type RunResult, runSeed } from './run.js'
import { shrink } from './shrink.js'

const FIRST_SEED = 1_000
const SEED_COUNT = 48
const TWICE_COUNT = 6

const SEEDS_FILE = new URL('../../sim/seeds.txt', import.meta.url)

function assertPasses(result: RunResult): void {
  const isFine = result.verdict === 'passed' || result.verdict === 'refused'
  const replay = `npm run sim -- --seed ${result.seed} --log`
  assert.ok(isFine, `${result.verdict}: ${result.message}\n${replay}`)
}

test(`seeds ${FIRST_SEED} to ${FIRST_SEED + SEED_COUNT - 1}: nothing acknowledged is lost, everything comes to rest`, () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEED_COUNT; seed += 1)
    assertPasses(runSeed({ seed }))
})

test('seeds that failed once pass', () => {
  const lines = readFileSync(SEEDS_FILE, 'utf8').split('\n')
  const seeds = lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10))
  assert.ok(seeds.length > 0)
  for (const seed of seeds) assertPasses(runSeed({ seed }))
})

test('a seed run twice gives the same trace', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + TWICE_COUNT; seed += 1) {
    assert.equal(runSeed({ seed }).traceHash, runSeed({ seed }).traceHash, `seed ${seed}`)
  }
})

test('shrinking leaves only what a failure needs', () => {
  const needed = [3, 11]
  const fails = (part: readonly number[]): boolean => needed.every((fault) => part.includes(fault))
  assert.deepEqual(shrink([...Array(16).keys()], fails), needed)
})
