import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault, FaultKind } from '../faults.js'
import { countLines, runScenario } from './run-scenario.js'

/** Every place at which a process can end in the course of a few commands. */
const BOUNDARIES = [...Array(40).keys()].map((index) => index + 1)
const SEED = 7

function endAt(kind: FaultKind, count: number): readonly Fault[] {
  return [{ at: 400, kind, ms: 1, count, seed: count }]
}

test('kill -9 before any effect of a busy second: nothing acknowledged is lost or done twice', () => {
  for (const count of BOUNDARIES) {
    const scenario = runScenario({ seed: SEED, faults: endAt('kill-at-effect', count) })
    assert.equal(countLines(scenario, '"end":{"kind":"killed"}'), 1, `boundary ${count}`)
  }
})

test('F26, power loss before any effect of a busy second: every acknowledged operation is there', () => {
  for (const count of BOUNDARIES) {
    const scenario = runScenario({ seed: SEED, faults: endAt('power-cut-at-effect', count) })
    assert.equal(countLines(scenario, '"end":{"kind":"power-cut"}'), 2, `boundary ${count}`)
  }
})

test('F26, power loss between the elementary steps of the disk', () => {
  for (const count of BOUNDARIES) {
    runScenario({ seed: SEED, faults: endAt('power-cut-in-disk', count) })
  }
})

test('F30, kill between apply and flush, row by row: replay repeats no start and loses no row', () => {
  const flush = {
    everyMs: 1,
    sliceRows: 1,
    maxDirtyRows: 5,
    maxDirtyChars: 1_000,
    checkpointRows: 1,
    checkpointChars: 1_000_000,
    idleCheckpointMs: 60_000,
  }
  for (const count of BOUNDARIES) {
    runScenario({ seed: SEED, vary: { flush }, faults: endAt('kill-at-effect', count) })
  }
})

test('F30, nothing was flushed for the whole life: all of it is replayed from the log', () => {
  const flush = {
    everyMs: 60_000,
    sliceRows: 1,
    maxDirtyRows: 50_000,
    maxDirtyChars: 1e9,
    checkpointRows: 1,
    checkpointChars: 1_000_000,
    idleCheckpointMs: 60_000,
  }
  const faults = [900, 1_100, 1_300].map(
    (at): Fault => ({ at, kind: 'kill', ms: 1, count: 1, seed: at }),
  )
  const scenario = runScenario({ seed: SEED, vary: { flush }, faults })
  assert.equal(countLines(scenario, '"end":{"kind":"killed"}'), 3)
})

test('the process dies between sync and apply: the client asks again and finds its one job', () => {
  const faults: readonly Fault[] = [
    { at: 300, kind: 'pause-ledger', ms: 5_000, count: 1, seed: 1 },
    { at: 700, kind: 'kill', ms: 1, count: 1, seed: 2 },
  ]
  const scenario = runScenario({ seed: SEED, vary: { idempotencyKeyCount: 1_000 }, faults })
  assert.ok(
    countLines(scenario, '"kind":"unanswered"', '"kind":"submit"', '"idempotency"') > 0,
    'an answer was lost',
  )
  assert.ok(
    countLines(scenario, '"kind":"answered"', '"result":"replayed') > 0,
    'it was given later',
  )
})
