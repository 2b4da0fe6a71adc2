import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../faults.js'
import { countLines, JOBS_ONLY, runScenario } from './run-scenario.js'

const SEEDS = [11, 12, 13, 14]

test('F38, cancels race completions, timeouts and crashes: the log decides, once', () => {
  let cancelled = 0
  for (const seed of SEEDS) {
    const vary = {
      weights: { ...JOBS_ONLY, cancel: 10 },
      behaviours: ['finish-anyway', 'hang', 'fail-late'] as const,
      thinkMs: 15,
    }
    const kills = [500, 900].map(
      (at): Fault => ({ at, kind: 'kill-at-effect', ms: 1, count: seed, seed: at }),
    )
    const scenario = runScenario({ seed, vary, faults: kills })
    cancelled += countLines(scenario, '"kind":"aborted"', '"reason":"cancelled"')
  }
  assert.ok(cancelled > 0, 'no running attempt was ever cancelled')
})

test('F40, compensations fail, hang and meet crashes: newest first, never beside the action', () => {
  let failed = 0
  let undone = 0
  for (const seed of [...SEEDS, 15, 16]) {
    const vary = {
      weights: { ...JOBS_ONLY, cancel: 3, retry: 4, skip: 2 },
      behaviours: ['fail-late', 'give-up', 'hang'] as const,
      undoMayFail: true,
    }
    const kills = [600, 1_000, 1_400].map(
      (at): Fault => ({ at, kind: 'kill', ms: 1, count: 1, seed: at }),
    )
    const scenario = runScenario({ seed, vary, faults: kills })
    failed += countLines(scenario, '"kind":"rested"', '"status":"compensation_failed"')
    undone += countLines(scenario, '"kind":"rested"', '"status":"compensated"')
  }
  assert.ok(
    failed > 0 && undone > 0,
    `runs with failed compensations: ${failed}, with done ones: ${undone}`,
  )
})

test('F42, submissions arrive after their notAfter: refused, and nothing is stored', () => {
  const stalls = [300, 900].map(
    (at): Fault => ({ at, kind: 'pause-engine', ms: 400, count: 1, seed: at }),
  )
  const scenario = runScenario({ seed: 17, vary: { weights: JOBS_ONLY, hurry: 1 }, faults: stalls })
  assert.ok(countLines(scenario, '"kind":"answered"', '"too_late"') > 0, 'nothing came too late')
})

test('the services thread is lost again and again: each attempt ends once, all jobs come to an end', () => {
  const losses = [200, 400, 600, 800, 1_000].map(
    (at): Fault => ({ at, kind: 'services-restart', ms: 20, count: 1, seed: at }),
  )
  for (const seed of SEEDS)
    runScenario({ seed, vary: { behaviours: ['deaf', 'flaky'] }, faults: losses })
})
