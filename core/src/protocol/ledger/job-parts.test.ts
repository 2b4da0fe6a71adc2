import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobPlan, Json } from '@gyre/jobs'
import type { JobRow } from './job-row.js'
import { HISTORY_CHUNK_EVENTS, SMALL_JOB_STEPS, SMALL_PLAN_CHARS } from './limits.js'
import { keys } from './rows-layout.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'

const ONE = planOf({ main: { input: { $from: '/input' } } })
const LARGE = 'x'.repeat(SMALL_PLAN_CHARS)

/** Keys of a job's rows, without the job's own part. */
function rowsOf(ledger: LedgerHarness, id: string): string[] {
  const key = keys.job(id)
  return ledger
    .allRows()
    .filter((row) => row.key.startsWith(key))
    .map((row) => row.key.slice(key.length))
}

/** What clients see of a job that ran to its end: the same, wherever its parts stand. */
function played(input: Json, output: Json, plan: JobPlan = ONE): object {
  const ledger = new LedgerHarness()
  const id = ledger.submit(plan, { input })
  ledger.succeed('main', output)
  const { input: shownInput, output: shownOutput, steps } = ledger.job(id)
  const reply = ledger.query({ kind: 'plan', id })
  const shownPlan: Json = JSON.parse((reply.ok && reply.body) || 'null')
  const types = ledger.history(id).map(({ type }) => type)
  const shown = { shownInput, shownOutput, stepOutput: steps[0]?.output, shownPlan, types }
  return { rows: rowsOf(ledger, id), shown }
}

const TYPES = ['job_submitted', 'attempt_started', 'attempt_ended', 'job_ended']

function shown(input: Json, output: Json): object {
  const shownPlan = { plan: ONE, input }
  return { shownInput: input, shownOutput: output, stepOutput: output, shownPlan, types: TYPES }
}

test('a small job is one row', () => {
  assert.deepEqual(played(1, 2), { rows: [''], shown: shown(1, 2) })
})

test('a job with a large input has rows for its plan, its history and its outputs', () => {
  const rows = ['', `/h/${'0'.repeat(13)}`, '/o/main', '/p']
  assert.deepEqual(played(LARGE, 2), { rows, shown: shown(LARGE, 2) })
})

test('a large output of a small job has a row', () => {
  assert.deepEqual(played(1, LARGE), { rows: ['', '/o/main'], shown: shown(1, LARGE) })
})

test('what counts as large is the whole of it, names and numbers too', () => {
  const names = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`member${n}`, n]))
  const numbers = Array.from({ length: 1000 }, (_, n) => n)
  for (const large of [names, numbers]) {
    assert.deepEqual(played(1, large), { rows: ['', '/o/main'], shown: shown(1, large) })
  }
})

test('a job of many steps has rows for its parts', () => {
  const steps = (count: number) =>
    planOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, {}])))
  const ledger = new LedgerHarness()
  const few = ledger.submit(steps(SMALL_JOB_STEPS))
  const many = ledger.submit(steps(SMALL_JOB_STEPS + 1))
  assert.ok(!rowsOf(ledger, few).includes('/p'))
  assert.ok(rowsOf(ledger, many).includes('/p'))
})

test('a history that outgrows the row goes on in rows of its own, without a gap', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(20, { maxDelayMs: 1000 }) } }))
  for (let attempt = 1; attempt < 20; attempt += 1) {
    ledger.fail('main')
    ledger.pass(1000)
  }
  ledger.succeed('main')
  const events = ledger.history(id)
  assert.ok(events.length > HISTORY_CHUNK_EVENTS)
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  )
  assert.deepEqual(
    rowsOf(ledger, id).filter((key) => key.startsWith('/h/')),
    [`/h/${'1'.padStart(13, '0')}`],
  )
})

/** Puts a job's parts where versions before kept those of every job. */
function takeApart(ledger: LedgerHarness, id: string): void {
  const { parts, ...row } = ledger.rows.get<JobRow>(keys.job(id)) ?? {}
  assert.ok(parts !== undefined)
  ledger.rows.put(keys.job(id), row)
  ledger.rows.put(keys.plan(id), parts.plan)
  ledger.rows.put(keys.history(id, 0), { events: parts.events })
}

test('a job of a version before goes on with the rows that it has', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(ONE, { input: 1 })
  takeApart(ledger, id)
  ledger.succeed('main', 2)
  const { input, output, status } = ledger.job(id)
  assert.deepEqual([input, output, status], [1, 2, 'succeeded'])
  assert.deepEqual(
    ledger.history(id).map(({ type }) => type),
    TYPES,
  )
  assert.deepEqual(rowsOf(ledger, id), ['', `/h/${'0'.repeat(13)}`, '/o/main', '/p'])
})

test('what is taken over from another job stands where the new job has such things', () => {
  const plan = planOf({ a: {}, main: { needs: ['a'], input: { $from: '/steps/a/output' } } })
  for (const [output, key] of [
    ['small', []],
    [LARGE, ['/o/a']],
  ] as const) {
    const ledger = new LedgerHarness()
    const source = ledger.submit(plan)
    ledger.succeed('a', output)
    ledger.succeed('main')
    const id = ledger.newJobId()
    ledger.apply({ kind: 'resubmit', id, source, from: 'main' }, { work: 1 })
    assert.equal(ledger.running.values().next().value?.body, JSON.stringify({ input: output }))
    assert.deepEqual(rowsOf(ledger, id), ['', ...key])
  }
})

test('a step for failures runs anew in the next run, and its output of the run before is gone', () => {
  const steps = { main: { retry: retry(1) }, tell: { onFailure: true as const } }
  const plan = planOf(steps, { $from: '/steps/tell/output' })
  for (const output of ['small', LARGE]) {
    const ledger = new LedgerHarness()
    const id = ledger.submit(plan)
    ledger.fail('main')
    ledger.succeed('tell', output)
    assert.equal(ledger.step(id, 'tell').output, output)
    ledger.apply({ kind: 'retry', id }, { work: 1 })
    assert.equal(ledger.step(id, 'tell').output, null)
    ledger.succeed('main')
    assert.equal(ledger.job(id).output, null)
    assert.deepEqual(rowsOf(ledger, id), ['', '/a/main', '/r'])
  }
})

test('after a crash the rows of small jobs and others come out as they were', () => {
  const ledger = new LedgerHarness()
  for (const input of [1, LARGE]) {
    ledger.submit(ONE, { input })
    ledger.succeed('main', input)
  }
  const before = ledger.allRows()
  ledger.crash()
  assert.deepEqual(ledger.allRows(), before)
})
