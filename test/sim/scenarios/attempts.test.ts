import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../faults.js'
import { countLines, runScenario, type Scenario } from './run-scenario.js'

const SEEDS = [11, 12, 13, 14]

const JOBS_ONLY = {
  submit: 10,
  batch: 0,
  cancel: 0,
  retry: 0,
  deleteJob: 0,
  skip: 0,
  fail: 0,
  resubmit: 0,
  bulk: 0,
  putRecord: 0,
  deleteRecord: 0,
  getRecord: 0,
  listRecords: 0,
  getJob: 2,
} as const

/** Attempts that were told to stop and reported success all the same. */
function successesAfterAbort({ lines }: Scenario, reason: string): number {
  const aborted = new Set<string>()
  let count = 0
  for (const line of lines) {
    const attempt = /"attempt":"([^"]+)"/.exec(line)?.[1] ?? ''
    if (line.includes('"kind":"aborted"') && line.includes(reason)) aborted.add(attempt)
    if (line.includes('"kind":"reported"') && line.includes('"succeeded"') && aborted.has(attempt))
      count += 1
  }
  return count
}

test('F37, handlers succeed after their timeout: the report is stale, the next attempt decides', () => {
  let late = 0
  for (const seed of SEEDS) {
    const vary = { weights: JOBS_ONLY, behaviours: ['finish-anyway'] as const }
    const pauses = [400, 800, 1_200].map(
      (at): Fault => ({ at, kind: 'pause-engine', ms: 300, count: 1, seed: at }),
    )
    late += successesAfterAbort(runScenario({ seed, vary, faults: pauses }), 'timed_out')
  }
  assert.ok(late > 0, 'no handler ever succeeded too late')
})

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

test('F36, the wall clock jumps an hour to and fro: no deadline moves', () => {
  const jumps = [200, 500, 800, 1_100].map(
    (at): Fault => ({ at, kind: 'clock-jump', ms: 1, count: 1, seed: at }),
  )
  for (const seed of SEEDS) {
    // A client that asks for a start by a clock that is an hour ahead gets it in an hour.
    const vary = { behaviours: ['hang'] as const, wallTimes: false }
    const { result } = runScenario({ seed, vary, faults: jumps })
    const lateness = result.stats.virtualMs
    assert.ok(lateness < 300_000, `timers fired ${lateness} ms after the beginning`)
  }
})

test('the services thread is lost again and again: each attempt ends once, all jobs come to an end', () => {
  const losses = [200, 400, 600, 800, 1_000].map(
    (at): Fault => ({ at, kind: 'services-restart', ms: 20, count: 1, seed: at }),
  )
  for (const seed of SEEDS)
    runScenario({ seed, vary: { behaviours: ['deaf', 'flaky'] }, faults: losses })
})
