import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXPLAIN_CODES } from '../../../api/contract/explain-codes.js'
import type { JobRow } from '../job-row.js'
import type { ExplainQuery } from '../query.js'
import { keys } from '../rows-layout.js'
import { LedgerHarness, toyHash } from '../testing/ledger-harness.js'
import { ONCE, planOf, retry } from '../testing/plans.js'
import { explainAnswer, TOLD_CODES } from './explain.js'

const OFFERS = { work: { slots: 2 }, 'undo.a': { slots: 1 } }

interface Told {
  readonly summary: string
  readonly reasons: readonly ({ readonly code: string; readonly text: string } & Record<
    string,
    unknown
  >)[]
  readonly more: number
}

function explain(ledger: LedgerHarness, id: string, offers: ExplainQuery['offers'] = OFFERS): Told {
  const reply = ledger.query({ kind: 'explain', id, offers })
  assert.equal(reply.ok, true, JSON.stringify(reply))
  return JSON.parse((reply.ok && reply.body) || '')
}

function codes(ledger: LedgerHarness, id: string, offers?: ExplainQuery['offers']): string[] {
  return explain(ledger, id, offers).reasons.map(({ code }) => code)
}

test('a job that has ended says how', () => {
  const ledger = new LedgerHarness()
  const done = ledger.submit(planOf({ main: {} }))
  ledger.succeed('main')
  assert.equal(explain(ledger, done).summary, 'The job is succeeded: it has ended.')
  const failed = ledger.submit(planOf({ main: { retry: ONCE } }))
  ledger.fail('main')
  const { summary, reasons } = explain(ledger, failed)
  assert.equal(summary, 'The job is failed: broken, it broke.')
  assert.deepEqual([reasons[0]?.code, reasons[0]?.['status']], ['finished', 'failed'])
})

test('a running step is told with its attempt and timeout, and what waits for it', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {}, b: { needs: ['a'] } }))
  const { reasons } = explain(ledger, id)
  assert.deepEqual(
    reasons.map(({ code, step }) => [code, step]),
    [
      ['running', 'a'],
      ['waiting_needs', 'b'],
    ],
  )
  const timesOutAt = new Date(ledger.now + 60_000).toISOString()
  assert.deepEqual([reasons[0]?.['attempt'], reasons[0]?.['timesOutAt']], [1, timesOutAt])
  assert.deepEqual(reasons[1]?.['needs'], ['a'])
})

test('a retry tells when it comes and what the attempt before it ended with', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(2) } }))
  ledger.fail('main')
  const [reason] = explain(ledger, id).reasons
  const until = new Date(ledger.now + 1000).toISOString()
  assert.deepEqual([reason?.code, reason?.['until']], ['backoff', until])
  assert.match(reason?.text ?? '', /attempt 1 of step main ended failed \(broken\)/)
})

test('a step that may start is told apart by what keeps it: no worker, a refusal, no free slot', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: {} }), { slots: {} })
  assert.deepEqual(codes(ledger, id, {}), ['no_worker'])
  assert.deepEqual(codes(ledger, id, { work: { slots: 0, refused: 'memory' } }), ['refused'])
  assert.deepEqual(codes(ledger, id, { work: { slots: 2 } }), ['no_credit'])
  const odd = ledger.submit(planOf({ main: { service: 'constructor' } }), { slots: {} })
  assert.deepEqual(codes(ledger, odd), ['no_worker'])
  assert.match(explain(ledger, id).summary, /The job is queued: all slots of work are taken \(2/)
})

test('a cancelled job names the attempts that have not stopped yet', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: {} }))
  ledger.apply({ kind: 'cancel', id, compensate: false })
  const { reasons } = explain(ledger, id)
  assert.deepEqual(
    reasons.map(({ code }) => code),
    ['cancelling', 'running'],
  )
  assert.match(reasons[1]?.text ?? '', /was told to stop and has not ended yet/)
})

test('a compensation is told with what is left of it, and with what holds it up', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ a: { compensate: true }, b: { needs: ['a'], retry: ONCE } })
  const id = ledger.submit(plan)
  ledger.succeed('a')
  ledger.end(ledger.attemptOf('b'), failure(), { work: 1 })
  const { reasons } = explain(ledger, id, { work: { slots: 2 } })
  assert.deepEqual(
    reasons.map(({ code, step, hook }) => [code, step, hook]),
    [
      ['compensating', undefined, undefined],
      ['no_worker', 'a', 'compensate'],
    ],
  )
  assert.deepEqual(reasons[0]?.['steps'], ['a'])
})

test('a failed compensation names its step and what an operator can do', () => {
  const ledger = new LedgerHarness()
  const compensate = { retry: ONCE }
  const id = ledger.submit(planOf({ a: { compensate }, b: { needs: ['a'], retry: ONCE } }))
  ledger.succeed('a')
  ledger.fail('b')
  ledger.end(ledger.attemptOf('a', { hook: 'compensate' }), failure())
  const { reasons } = explain(ledger, id)
  assert.deepEqual([reasons.length, reasons[0]?.code], [1, 'compensation_failed'])
  assert.match(
    reasons[0]?.text ?? '',
    /step a failed for good.*retry the job, or give up the step with skip or all of it with fail/,
  )
})

test('items that run, wait for a slot or for their next attempt are told as one', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 4 }, concurrency: 2 }
  const id = ledger.submit(planOf({ each: { forEach, retry: retry(2) } }), { slots: { work: 2 } })
  assert.deepEqual(
    explain(ledger, id).reasons.map(({ code, items }) => [code, items]),
    [['running', 2]],
  )
  ledger.fail('each', { index: 0 })
  ledger.fail('each', { index: 1 })
  assert.deepEqual(codes(ledger, id), ['backoff'])
})

test('a job of which much is to be told counts what it leaves out', () => {
  const ledger = new LedgerHarness()
  const steps = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`s${n}`, {}]))
  const { reasons, more } = explain(ledger, ledger.submit(planOf(steps)))
  assert.deepEqual([reasons.length, more], [100, 50])
})

test('a job before its time, and one that ended as poison, are told as that', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }))
  ledger.fail('main')
  const row = ledger.rows.get<JobRow>(keys.job(id))
  const shown = (changes: object): string => {
    const found = { [keys.job(id)]: { ...row, ...changes } }
    const rows = { get: (key: string) => found[key] } as LedgerHarness['rows']
    const reply = explainAnswer({ rows, hash: toyHash }, { kind: 'explain', id, offers: {} })
    return JSON.parse((reply.ok && reply.body) || '').reasons[0].code
  }
  assert.equal(shown({ cause: 'poison' }), 'poison')
  assert.equal(shown({ status: 'scheduled', phase: 'forward' }), 'scheduled')
})

test('the summary tells of a step that makes the status what it is, whatever stands before it', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ first: { needs: ['a', 'b'] }, a: { retry: retry(2) }, b: {} })
  const id = ledger.submit(plan, { slots: { work: 1 } })
  ledger.end(ledger.attemptOf('a'), failure(), {})
  assert.match(explain(ledger, id).summary, /^The job is queued: all slots of work are taken/)
  ledger.apply({ kind: 'start' }, { work: 1 })
  assert.match(explain(ledger, id).summary, /^The job is running: attempt 1 of step b runs/)
  ledger.succeed('b')
  assert.match(explain(ledger, id).summary, /^The job is waiting: attempt 1 of step a ended failed/)
})

test('a job that is not there is told as that', () => {
  const reply = new LedgerHarness().query({ kind: 'explain', id: 'f'.repeat(32), offers: {} })
  assert.equal(!reply.ok && reply.code, 'job_not_found')
})

test('the contract lists every code that is told', () => {
  assert.deepEqual([...TOLD_CODES, 'owner_unavailable'].sort(), [...EXPLAIN_CODES].sort())
})

function failure() {
  const error = { code: 'broken', message: 'it broke', retryable: true }
  return { kind: 'failed', error } as const
}
