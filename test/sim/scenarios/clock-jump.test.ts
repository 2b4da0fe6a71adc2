import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '@gyre/core/internal/base/prng.js'
import { CLOCK_JUMPS_MS, type Fault } from '../faults.js'
import type { SimOptions } from '../swarm.js'
import { JOBS_ONLY, runScenario, storyOf } from './run-scenario.js'

const SEEDS = [11, 12, 13]
const HOUR_MS = 3_600_000
/** By how much a timer may be early or late, and a deadline that it stands for. */
const SLACK_MS = 1_000
const JUMPS_AT = 500

type Moment = ReturnType<typeof storyOf>[number]

/** The fault whose dice choose this jump. */
function jump(at: number, byMs: number): Fault {
  let seed = 0
  while (new Prng(seed).pick(CLOCK_JUMPS_MS) !== byMs) seed += 1
  return { at, kind: 'clock-jump', ms: 1, count: 1, seed }
}

/** How far from its timeout each attempt was told that its time is over, milliseconds. */
function timeoutErrors(story: readonly Moment[]): number[] {
  const dueAt = new Map<string, number>()
  const errors: number[] = []
  for (const { at, seen } of story) {
    if (seen.kind === 'dispatched') dueAt.set(seen.dispatch.attempt, at + seen.dispatch.timeoutMs)
    const due =
      seen.kind === 'aborted' && seen.reason === 'timed_out' ? dueAt.get(seen.attempt) : undefined
    if (due !== undefined) errors.push(at - due)
  }
  return errors
}

/** How often a key was answered with its job from before `at`. */
function replaysAfter(story: readonly Moment[], at: number): number {
  const known = new Set<string>()
  let replays = 0
  for (const moment of story) {
    const { seen } = moment
    if (seen.kind !== 'answered' || seen.operation.work.kind !== 'command') continue
    const { command } = seen.operation.work
    if (command.kind !== 'submit' || command.idempotency === undefined || !seen.reply.ok) continue
    if (moment.at < at) known.add(command.idempotency.key)
    else if (known.has(command.idempotency.key)) {
      assert.match(seen.reply.result, /^replayed/, 'a key was forgotten')
      replays += 1
    }
  }
  return replays
}

const CLOCKS: Readonly<Record<string, { faults: readonly Fault[]; vary: Partial<SimOptions> }>> = {
  'jumps an hour ahead': { faults: [jump(JUMPS_AT, HOUR_MS)], vary: {} },
  'jumps an hour back': { faults: [jump(JUMPS_AT, -HOUR_MS)], vary: {} },
  'jumps to and fro': {
    faults: [HOUR_MS, -HOUR_MS, -HOUR_MS, HOUR_MS].map((by, turn) => jump(300 * (turn + 1), by)),
    vary: {},
  },
  'runs a tenth too fast': { faults: [], vary: { wallRate: 1.1 } },
}

for (const [clock, { faults, vary }] of Object.entries(CLOCKS)) {
  test(`F36, clock jump: the wall clock ${clock}, and timers and keys keep their times`, () => {
    let timeouts = 0
    let replays = 0
    for (const seed of SEEDS) {
      // A client that asks for a start by a clock that is an hour ahead gets it in an hour.
      const calm = { wallTimes: false, weights: JOBS_ONLY, idempotencyKeyCount: 20, hasty: 0 }
      const behaviours = ['hang'] as const
      const scenario = runScenario({ seed, vary: { ...calm, behaviours, ...vary }, faults })
      const story = storyOf(scenario)
      for (const error of timeoutErrors(story)) {
        assert.ok(Math.abs(error) < SLACK_MS, `seed ${seed}: a timer was ${error} ms off`)
        timeouts += 1
      }
      replays += replaysAfter(story, JUMPS_AT)
      const { virtualMs } = scenario.result.stats
      assert.ok(virtualMs < 300_000, `seed ${seed}: it took ${virtualMs} ms to come to rest`)
    }
    assert.ok(timeouts > 0, 'nothing timed out')
    assert.ok(replays > 0, 'no key was used again')
  })
}
