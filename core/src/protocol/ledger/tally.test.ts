import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistogramFigures } from '../../base/histogram.js'
import { OTHER_SERVICES, SERVICE_LABELS_MAX } from '../../base/service-labels.js'
import { LedgerTally } from './tally.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf } from './testing/plans.js'

const PLAN = planOf({ main: {} })
const UNDONE = planOf({ a: { compensate: true }, b: { needs: ['a'], retry: ONCE } })
const undo = { hook: 'compensate' } as const

/** Values by the bound of their bucket. */
function seen({ bounds, counts }: HistogramFigures): (readonly [number | 'more', number])[] {
  return counts.flatMap((count, place) =>
    count === 0 ? [] : [[bounds[place] ?? 'more', count] as const],
  )
}

test('jobs count when they are stored, when they start, and when they end', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { slots: {} })
  ledger.now += 4000
  ledger.start()
  assert.deepEqual(seen(ledger.figures().tally.startSeconds), [[5, 1]])
  ledger.now += 20
  ledger.succeed('main')
  const { jobs, tally } = ledger.figures()
  assert.equal(tally.submitted, 1)
  assert.deepEqual(jobs, { succeeded: 1 })
  assert.equal(tally.ended.succeeded, 1)
  assert.equal(tally.ended.failed, 0)
  const { work } = tally.services
  assert.deepEqual(work?.ends, { succeeded: 1 })
  assert.deepEqual(work === undefined ? [] : seen(work.seconds), [[0.025, 1]])
})

test('a job that was to start later has waited only since then', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { runAt: ledger.now + 60_000 })
  ledger.pass(60_003)
  assert.deepEqual(seen(ledger.figures().tally.startSeconds), [[0.005, 1]])
})

test('each attempt counts with its end, a retry is none of a job, and a report that is stale is none', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN)
  const first = ledger.attemptOf('main')
  ledger.fail('main')
  ledger.pass(10_000)
  ledger.end(first, { kind: 'succeeded', output: null })
  ledger.succeed('main')
  const { tally } = ledger.figures()
  assert.deepEqual(tally.services['work']?.ends, { failed: 1, succeeded: 1 })
  assert.equal(seen(tally.startSeconds).length, 1)
})

test('compensations count when they begin, and each of their steps by what became of it', () => {
  const ledger = new LedgerHarness()
  for (const outcome of ['succeeded', 'failed'] as const) {
    ledger.submit(UNDONE)
    ledger.succeed('a')
    ledger.fail('b', { retryable: false })
    const attempt = ledger.attemptOf('a', undo)
    assert.equal(ledger.figures().jobs['compensating'], 1)
    if (outcome === 'succeeded') ledger.end(attempt, { kind: 'succeeded', output: null })
    else
      ledger.end(attempt, {
        kind: 'failed',
        error: { code: 'no', message: 'no', retryable: false },
      })
  }
  const { jobs, tally } = ledger.figures()
  assert.deepEqual(jobs, { compensated: 1, compensation_failed: 1 })
  assert.equal(tally.compensationsStarted, 2)
  assert.deepEqual(tally.undoneSteps, { undone: 1, failed: 1, skipped: 0 })
})

test('steps that an operator skips, or gives up with their job, count as skipped', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({
    a: { compensate: true },
    b: { compensate: true, needs: ['a'] },
    c: { needs: ['b'], retry: ONCE },
  })
  const ids = [1, 2].map(() => {
    const id = ledger.submit(plan)
    for (const step of ['a', 'b']) ledger.succeed(step)
    ledger.fail('c', { retryable: false })
    ledger.end(ledger.attemptOf('b', undo), {
      kind: 'failed',
      error: { code: 'no', message: 'no', retryable: false },
    })
    return id
  })
  const reason = 'done by hand'
  ledger.apply({ kind: 'skip', id: ids[0] ?? '', step: 'b', reason })
  assert.equal(ledger.figures().tally.undoneSteps.skipped, 1)
  ledger.apply({ kind: 'fail', id: ids[1] ?? '', reason })
  assert.equal(ledger.figures().tally.undoneSteps.skipped, 2)
})

test('after a crash the state is as it was, and what was counted before is not counted again', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN)
  ledger.succeed('main')
  ledger.submit(PLAN, { slots: {} })
  const { jobs, ready } = ledger.figures()
  ledger.crash()
  const after = ledger.figures()
  assert.deepEqual({ jobs: after.jobs, ready: after.ready }, { jobs, ready })
  assert.deepEqual(after.tally, new LedgerTally().figures)
  ledger.submit(PLAN)
  assert.equal(ledger.figures().tally.submitted, 1)
})

test('the first services count by themselves, all further ones together', () => {
  const tally = new LedgerTally()
  for (let n = 0; n < SERVICE_LABELS_MAX + 3; n += 1) tally.attemptEnded(`s${n}`, 'lost', 1)
  const { services } = tally.figures
  assert.equal(Object.keys(services).length, SERVICE_LABELS_MAX + 1)
  assert.deepEqual(services[OTHER_SERVICES]?.ends, { lost: 3 })
})
