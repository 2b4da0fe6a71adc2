import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IdempotencyStamp } from './command.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const DAY = 24 * 3600 * 1000
const PLAN = planOf({ main: {} })
const KEY: IdempotencyStamp = { key: 'k'.repeat(32), fingerprint: 'f'.repeat(32) }

function isThere(ledger: LedgerHarness, id: string): boolean {
  return ledger.query({ kind: 'job', id }).ok
}

/** Rows that name the job anywhere. */
function traces(ledger: LedgerHarness, id: string): string[] {
  return ledger.allRows().flatMap(({ key, value }) => {
    return key.includes(id) || JSON.stringify(value).includes(id) ? [key] : []
  })
}

test('a finished job is removed with everything of it after its retention, not before', () => {
  const ledger = new LedgerHarness()
  const named = { ...PLAN, job: 'named' }
  const id = ledger.submit(named, { retentionMs: 5000, labels: { a: 'b' } })
  ledger.succeed('main')
  ledger.pass(4999)
  assert.equal(isThere(ledger, id), true)
  ledger.pass(1)
  assert.equal(isThere(ledger, id), false)
  assert.deepEqual(traces(ledger, id), [])
  assert.deepEqual(ledger.rows.get('c/jobs'), { counts: {} })
  checkRows(ledger.rows)
})

test('the engine is told when the next removal is due', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { retentionMs: 5000 })
  ledger.succeed('main')
  const timers = ledger.said.flatMap((said) => (said.kind === 'timer' ? [said.at] : []))
  assert.deepEqual(timers, [ledger.now + 5000])
})

test('a job that says nothing is kept for seven days', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.succeed('main')
  ledger.pass(7 * DAY - 1)
  assert.equal(isThere(ledger, id), true)
  ledger.pass(1)
  assert.equal(isThere(ledger, id), false)
})

test('a job whose compensation has failed is kept until somebody sees to it', () => {
  const ledger = new LedgerHarness()
  const compensate = { retry: ONCE }
  const plan = planOf({ a: { compensate }, b: { needs: ['a'], retry: ONCE } })
  const id = ledger.submit(plan, { retentionMs: 10 })
  ledger.succeed('a')
  ledger.fail('b')
  ledger.end(ledger.attemptOf('a', { hook: 'compensate' }), {
    kind: 'failed',
    error: { code: 'broken', message: 'it broke', retryable: false },
  })
  ledger.pass(100 * DAY)
  assert.equal(ledger.job(id).status, 'compensation_failed')
  const refused = ledger.apply({ kind: 'delete-job', id })
  assert.equal(!refused.ok && refused.code, 'job_not_finished')
  ledger.apply({ kind: 'skip', id, step: 'a', reason: 'by hand' })
  ledger.pass(10)
  assert.equal(isThere(ledger, id), false)
})

test('a failed job that is retried is not removed by what its first run had coming', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }), { retentionMs: 1000 })
  ledger.fail('main')
  ledger.pass(500)
  ledger.apply({ kind: 'retry', id }, { work: 1 })
  ledger.pass(900)
  assert.equal(ledger.job(id).status, 'running')
  ledger.succeed('main')
  ledger.pass(999)
  assert.equal(isThere(ledger, id), true)
})

test('the key of a removed job answers with what is left of it until a day after its end, then makes a new job', () => {
  const ledger = new LedgerHarness()
  const submit = (fingerprint = KEY.fingerprint): ReturnType<LedgerHarness['apply']> => {
    const idempotency = { ...KEY, fingerprint }
    const id = ledger.newJobId()
    return ledger.apply({ kind: 'submit', id, plan: PLAN, input: null, idempotency }, { work: 1 })
  }
  const id = ledger.submit(PLAN, { idempotency: KEY, retentionMs: 1000 })
  ledger.succeed('main')
  ledger.pass(DAY - 1)
  const stub = submit()
  assert.equal(stub.ok && stub.result, 'replayed-final')
  const expected = { id, status: 'succeeded', purged: true }
  assert.deepEqual(JSON.parse((stub.ok && stub.body) || ''), expected)
  const other = submit('0'.repeat(32))
  assert.equal(!other.ok && other.code, 'idempotency_key_reused')
  ledger.pass(1)
  const fresh = submit()
  assert.equal(fresh.ok && fresh.result, 'accepted')
  assert.notEqual(JSON.parse((fresh.ok && fresh.body) || '').id, id)
  checkRows(ledger.rows)
})

test('a retention longer than a day keeps the key as long as the job', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { idempotency: KEY, retentionMs: 2 * DAY })
  ledger.succeed('main')
  ledger.pass(2 * DAY)
  assert.deepEqual(ledger.rows.get(`k/${KEY.key}`), undefined)
})

test('a finished job is deleted at once, an unfinished one is not, and a repeat knows that it did it', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  const refused = ledger.apply({ kind: 'delete-job', id })
  assert.equal(!refused.ok && refused.code, 'job_not_finished')
  ledger.succeed('main')
  const idempotency = { key: 'd'.repeat(32), fingerprint: 'd'.repeat(32) }
  const deleted = ledger.apply({ kind: 'delete-job', id, idempotency })
  assert.equal(deleted.ok && deleted.result, 'deleted')
  assert.deepEqual(traces(ledger, id), [])
  const again = ledger.apply({ kind: 'delete-job', id, idempotency })
  assert.equal(again.ok && again.replayed, true)
  const unknown = ledger.apply({ kind: 'delete-job', id })
  assert.equal(!unknown.ok && unknown.code, 'job_not_found')
})

test('a job of very many rows goes in slices, wherever a crash comes in between, and is hidden from the first', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 3000 }, concurrency: 3000, collect: 'none' as const }
  const id = ledger.submit(planOf({ each: { forEach } }), { slots: { work: 3000 } })
  for (let index = 0; index < 3000; index += 1) ledger.succeed('each', null, { index })
  ledger.apply({ kind: 'delete-job', id })
  let slices = 1
  for (let left = traces(ledger, id).length; left > 0; slices += 1) {
    assert.equal(isThere(ledger, id), false)
    assert.equal(ledger.query({ kind: 'peek', id: `${id.slice(0, 4)}${'f'.repeat(28)}` }).ok, true)
    if (slices === 2) ledger.flush()
    if (slices === 2) ledger.crash()
    ledger.pass(0)
    const now = traces(ledger, id).length
    assert.ok(left - now <= 1010, `${left - now} rows went with one entry`)
    assert.ok(now < left, 'a slice removed nothing')
    left = now
  }
  assert.ok(slices >= 4, `${slices} slices`)
  checkRows(ledger.rows)
})

test('finished jobs that an earlier version stored are removed, too, and so are their keys', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { idempotency: KEY })
  ledger.succeed('main')
  // As that version left them.
  const { idempotencyKey: _key, ...row } = ledger.rows.get<Record<string, unknown>>(`j/${id}`) ?? {}
  ledger.rows.put(`j/${id}`, row)
  for (const { key } of ledger.rows.scan('q/', 'q/~', 10)) ledger.rows.delete(key)
  ledger.apply({ kind: 'term-start' })
  ledger.pass(7 * DAY)
  assert.deepEqual(traces(ledger, id), [])
})
