import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIRST_INSTANT, type JobShown, LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf, retry } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const PLAN = planOf({ a: { compensate: true }, b: { needs: ['a'] } })

function iso(ms: number): string {
  return new Date(FIRST_INSTANT + ms).toISOString()
}

function codeOf({ error }: JobShown): unknown {
  return error === null ? null : Object(error).code
}

function timersOf(ledger: LedgerHarness): number {
  return ledger.rows.scan('t/', 't0', 100).length
}

test('a delayed job is scheduled, takes no slot, and starts when its delay is over', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { delayMs: 500 })
  ledger.pass(499)
  const job = ledger.job(id)
  assert.equal(job.status, 'scheduled')
  assert.equal(job['startedAt'], null)
  assert.equal(job['runAt'], iso(500))
  assert.deepEqual(job['waitingFor'], { kind: 'timer', until: iso(500) })
  assert.deepEqual(ledger.ready, {})
  assert.equal(job.steps[0]?.status, 'waiting')
  ledger.pass(1)
  assert.equal(ledger.job(id).status, 'running')
  assert.equal(ledger.job(id)['startedAt'], iso(500))
})

test('a runAt that has passed when the job is stored is as none', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { runAt: FIRST_INSTANT })
  assert.equal(ledger.job(id).status, 'running')
  assert.equal(ledger.job(id)['runAt'], null)
})

test('a scheduled job outlives a crash, with its row in the state or only in the log', () => {
  for (const flushed of [true, false]) {
    const ledger = new LedgerHarness()
    const id = ledger.submit(PLAN, { runAt: FIRST_INSTANT + 1000 })
    if (flushed) ledger.flush()
    ledger.crash()
    assert.equal(ledger.job(id).status, 'scheduled')
    ledger.pass(1000)
    assert.equal(ledger.job(id).status, 'running')
  }
})

test('a scheduled job that is cancelled ends at once and leaves no timer', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { delayMs: 500, startBy: FIRST_INSTANT + 900, timeoutMs: 50 })
  ledger.apply({ kind: 'cancel', id, compensate: true })
  assert.equal(ledger.job(id).status, 'cancelled')
  assert.equal(timersOf(ledger), 0)
})

test('a job that no slot was free for by its startBy fails, and is not started after', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { startBy: FIRST_INSTANT + 100, slots: {} })
  ledger.pass(99, {})
  assert.equal(ledger.job(id).status, 'queued')
  ledger.pass(1)
  const job = ledger.job(id)
  assert.equal(job.status, 'failed')
  assert.equal(job['cause'], 'failed')
  assert.equal(codeOf(job), 'start_by_passed')
  assert.equal(job['startedAt'], null)
  assert.equal(ledger.running.size, 0)
})

test('a slot that comes past startBy, before its timer has fired, starts nothing', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { startBy: FIRST_INSTANT + 100, slots: {} })
  ledger.now += 100
  ledger.start()
  assert.equal(codeOf(ledger.job(id)), 'start_by_passed')
  assert.equal(ledger.running.size, 0)
  assert.equal(timersOf(ledger), 0)
  checkRows(ledger.rows)
})

test('a startBy that has passed at submission fails the job at once; the job is kept and shown', () => {
  const ledger = new LedgerHarness()
  const past = { startBy: FIRST_INSTANT - 1 }
  for (const terms of [past, { ...past, delayMs: 1000 }]) {
    const job = ledger.job(ledger.submit(PLAN, terms))
    assert.equal(codeOf(job), 'start_by_passed')
    assert.equal(job.steps[0]?.status, 'skipped')
  }
})

test('once the first attempt has started, startBy is kept whatever becomes of that attempt', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ a: { retry: retry(3, { delayMs: 200 }) } })
  const id = ledger.submit(plan, { startBy: FIRST_INSTANT + 100 })
  ledger.fail('a')
  ledger.pass(200)
  ledger.succeed('a')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('a job timeout stops what runs, awaits it, and undoes what was done', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { timeoutMs: 1000 })
  ledger.succeed('a')
  ledger.pass(1000)
  const attempt = ledger.attemptOf('b')
  assert.deepEqual(ledger.aborted, [attempt])
  assert.equal(ledger.job(id).status, 'running')
  ledger.end(attempt, { kind: 'cancelled' })
  assert.equal(ledger.job(id).status, 'compensating')
  assert.deepEqual(
    ledger.history(id).flatMap((event) => (event.type === 'attempt_stopping' ? event.reason : [])),
    ['job_timed_out'],
  )
  ledger.pass(50_000)
  ledger.end(ledger.attemptOf('a', { hook: 'compensate' }), { kind: 'succeeded', output: null })
  const job = ledger.job(id)
  assert.equal(job.status, 'compensated')
  assert.equal(job['cause'], 'timed_out')
  assert.equal(codeOf(job), 'job_timed_out')
})

test('a deadline that passes is told in the timeline, also where nothing of the job runs', () => {
  const ledger = new LedgerHarness()
  const late = ledger.submit(PLAN, { timeoutMs: 1000, slots: {} })
  const slow = ledger.submit(PLAN, { startBy: FIRST_INSTANT + 1000, slots: {} })
  ledger.pass(1000, {})
  const types = (id: string) => ledger.history(id).map(({ type }) => type)
  assert.deepEqual(types(late), ['job_submitted', 'job_timed_out', 'job_ended'])
  assert.deepEqual(types(slow), ['job_submitted', 'start_by_passed', 'job_ended'])
})

test('what stops an attempt is told: a request, a step that failed, or its own timeout', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ a: { timeoutMs: 1000 }, b: { retry: ONCE } })
  const reasons = (id: string) =>
    ledger.history(id).flatMap((event) => (event.type === 'attempt_stopping' ? event.reason : []))
  const cancelled = ledger.submit(plan)
  ledger.apply({ kind: 'cancel', id: cancelled, compensate: false })
  assert.deepEqual(reasons(cancelled), ['cancelled', 'cancelled'])
  for (const step of ['a', 'b']) ledger.end(ledger.attemptOf(step), { kind: 'cancelled' })
  const failed = ledger.submit(plan)
  ledger.fail('b')
  assert.deepEqual(reasons(failed), ['job_failed'])
  ledger.end(ledger.attemptOf('a'), { kind: 'cancelled' })
  const slow = ledger.submit(plan)
  ledger.pass(1000)
  assert.deepEqual(reasons(slow), ['timed_out'])
})

test('a job timeout counts from runAt and covers waiting for a slot', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { delayMs: 500, timeoutMs: 100, slots: {} })
  assert.equal(ledger.job(id)['timesOutAt'], iso(600))
  ledger.pass(599, {})
  assert.equal(ledger.job(id).status, 'queued')
  ledger.pass(1)
  assert.equal(ledger.job(id).status, 'failed')
  assert.equal(ledger.job(id)['cause'], 'timed_out')
  assert.equal(ledger.running.size, 0)
})

test('a job timeout also ends a wait for the next attempt', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ a: { retry: retry(3, { delayMs: 5000 }) } })
  const id = ledger.submit(plan, { timeoutMs: 1000 })
  ledger.fail('a')
  ledger.pass(1000)
  assert.equal(ledger.job(id)['cause'], 'timed_out')
  assert.equal(timersOf(ledger), 0)
})

test('job timeout and attempt timeout at one instant: the attempt times out first, then the job', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { timeoutMs: 1000 } }), { timeoutMs: 1000 })
  ledger.pass(1000)
  ledger.end(ledger.attemptOf('a'), { kind: 'succeeded', output: 1 })
  assert.equal(ledger.step(id, 'a').attempts[0]?.['outcome'], 'timed_out')
  assert.equal(ledger.job(id)['cause'], 'timed_out')
})

test('a job timeout that fires before an attempt timeout of the same entry leaves no timer behind', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { timeoutMs: 1100 } }), { timeoutMs: 1000 })
  ledger.pass(5000)
  assert.equal(timersOf(ledger), 0)
  ledger.end(ledger.attemptOf('a'), { kind: 'cancelled' })
  assert.equal(ledger.job(id).status, 'failed')
})

test("an operator's retry has the whole timeout again, and is not bound by startBy", () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, {
    startBy: FIRST_INSTANT + 10,
    timeoutMs: 1000,
    slots: {},
  })
  ledger.pass(10, {})
  assert.equal(codeOf(ledger.job(id)), 'start_by_passed')
  ledger.pass(2000)
  ledger.apply({ kind: 'retry', id }, { work: 1 })
  assert.equal(ledger.job(id).status, 'running')
  ledger.pass(999)
  assert.equal(ledger.job(id).status, 'running')
  ledger.pass(1)
  ledger.end(ledger.attemptOf('a'), { kind: 'cancelled' })
  assert.equal(ledger.job(id)['cause'], 'timed_out')
})

test('3,000 timers that are due at once are each handled once, a bounded number per entry', () => {
  const ledger = new LedgerHarness()
  const count = 3000
  const ids = Array.from({ length: count }, () => ledger.submit(PLAN, { delayMs: 10, slots: {} }))
  ledger.crash()
  let fires = 0
  ledger.now += 3_600_000
  for (; ledger.rows.scan('t/', 't0', 1).length > 0; fires += 1) {
    ledger.apply({ kind: 'fire' })
    assert.ok(ledger.entries.length < 2 * count)
  }
  assert.equal(fires, count / 500)
  assert.deepEqual(ledger.ready, { work: count })
  assert.ok(ids.every((id) => ledger.job(id).status === 'queued'))
})

test('an entry that was written before jobs had times is applied as it was meant', () => {
  const ledger = new LedgerHarness()
  const id = ledger.newJobId()
  ledger.apply({ kind: 'submit', id, plan: PLAN, input: null }, { work: 1 })
  const job = ledger.job(id)
  assert.equal(job.status, 'running')
  assert.equal(job['priority'], 5)
  assert.equal(job['timesOutAt'], null)
})
