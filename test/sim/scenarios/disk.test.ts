import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../faults.js'
import { runSeed } from '../run.js'
import { countLines, runScenario } from './run-scenario.js'

test('F25, a sync fails once and the next life finds the batch in memory: it is not trusted there', () => {
  for (const seed of [21, 22, 23]) {
    const faults: readonly Fault[] = [
      { at: 400, kind: 'fail-sync', ms: 1, count: 1, seed },
      { at: 900, kind: 'power-cut', ms: 1, count: 1, seed: seed + 1 },
    ]
    const scenario = runScenario({ seed, faults })
    assert.equal(countLines(scenario, '"end":{"kind":"gave-up","code":"EIO"'), 1)
  }
})

test('F29, the state store is lost while the log still reaches back: the same state is rebuilt', () => {
  const vary = { retainBytes: 64 * 1024 * 1024 }
  const faults: readonly Fault[] = [{ at: 1_200, kind: 'wipe-state', ms: 1, count: 1, seed: 3 }]
  for (const seed of [24, 25]) runScenario({ seed, vary, faults })
})

test('the state store is lost and the log was cut: the node says what is lost and does not serve', () => {
  const faults: readonly Fault[] = [{ at: 12_000, kind: 'wipe-state', ms: 1, count: 1, seed: 3 }]
  const vary = {
    arcCount: 1,
    chaosMs: 15_000,
    thinkMs: 20,
    clientCount: 5,
    retainBytes: 0,
    segmentBytes: 64 * 1024,
    flush: {
      everyMs: 5,
      sliceRows: 2_000,
      maxDirtyRows: 200,
      maxDirtyChars: 60_000,
      checkpointRows: 1,
      checkpointChars: 1_000_000,
      idleCheckpointMs: 60_000,
    },
  }
  const result = runSeed({ seed: 26, vary, faults })
  assert.equal(result.verdict, 'refused', result.message)
  assert.match(result.message, /^state_lost: .*no longer reaches back/)
})

test('F31, the disk is full for a while: new work waits, nothing acknowledged suffers', () => {
  const faults: readonly Fault[] = [
    { at: 200, kind: 'disk-full', ms: 900, count: 1, seed: 1 },
    { at: 300, kind: 'state-full', ms: 900, count: 1, seed: 2 },
  ]
  const vary = { segmentBytes: 64 * 1024, thinkMs: 10, clientCount: 5 }
  for (const seed of [27, 28]) runScenario({ seed, vary, faults })
})

test('a bit of the log rots while the node is down: it is told, or it does not matter', () => {
  for (let seed = 30; seed < 50; seed += 1)
    runScenario({ seed, vary: { bitRots: true, chaosMs: 800 }, faults: [] })
})
