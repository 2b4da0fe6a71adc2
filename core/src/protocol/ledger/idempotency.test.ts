import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf } from './testing/plans.js'

const DAY_MS = 24 * 3600 * 1000
const KEY = { key: 'k'.repeat(32), fingerprint: 'f'.repeat(32) }
const OTHER = { ...KEY, fingerprint: '0'.repeat(32) }
const PLAN = planOf({ main: {} })

test('the same key and request give the same job, whose steps run once', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { idempotency: KEY })
  const again = { kind: 'submit', id: ledger.newJobId(), plan: PLAN, input: null } as const
  const living = ledger.apply({ ...again, idempotency: KEY }, { work: 1 })
  assert.equal(living.ok && living.result, 'replayed')
  assert.equal(living.ok && JSON.parse(living.body ?? '').id, id)
  ledger.succeed('main', 'once')
  ledger.now += 400 * DAY_MS
  const final = ledger.apply({ ...again, idempotency: KEY }, { work: 1 })
  assert.equal(final.ok && final.result, 'replayed-final')
  assert.equal(ledger.running.size, 0)
})

test('the same key with another request is refused and stores nothing', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { idempotency: KEY })
  const id = ledger.newJobId()
  const reply = ledger.apply({ kind: 'submit', id, plan: PLAN, input: 1, idempotency: OTHER })
  assert.equal(!reply.ok && reply.code, 'idempotency_key_reused')
  assert.equal(ledger.query({ kind: 'job', id }).ok, false)
})

test('a submission that is applied after its notAfter stores nothing, at it does', () => {
  const ledger = new LedgerHarness()
  const submit = { kind: 'submit', plan: PLAN, input: null, notAfter: ledger.now } as const
  assert.equal(ledger.apply({ ...submit, id: ledger.newJobId() }).ok, true)
  ledger.now += 1
  const late = ledger.apply({ ...submit, id: ledger.newJobId() })
  assert.equal(!late.ok && late.code, 'too_late')
})

test('a late repeat of a job that exists still gets that job', () => {
  const ledger = new LedgerHarness()
  const notAfter = ledger.now
  ledger.submit(PLAN, { idempotency: KEY, notAfter })
  ledger.now += 1
  const id = ledger.newJobId()
  const late = { kind: 'submit', id, plan: PLAN, input: null, notAfter, idempotency: KEY } as const
  const reply = ledger.apply(late)
  assert.equal(reply.ok && reply.result, 'replayed')
})

test('a repeated retry call does not start a second new run', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }))
  ledger.fail('main')
  ledger.apply({ kind: 'retry', id, idempotency: KEY }, { work: 1 })
  ledger.fail('main')
  const again = ledger.apply({ kind: 'retry', id, idempotency: KEY }, { work: 1 })
  assert.equal(again.ok && again.result, 'replayed')
  assert.equal(ledger.job(id)['run'], 2)
  const other = ledger.apply({ kind: 'retry', id, idempotency: OTHER }, { work: 1 })
  assert.equal(!other.ok && other.code, 'idempotency_key_reused')
})

test('the key of a call is forgotten after 24 hours of arc time, and its rows go away', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }))
  ledger.fail('main')
  ledger.apply({ kind: 'retry', id, idempotency: KEY }, { work: 1 })
  ledger.fail('main')
  ledger.now += DAY_MS
  ledger.apply({ kind: 'retry', id, idempotency: KEY }, { work: 1 })
  assert.equal(ledger.job(id)['run'], 3)
  ledger.fail('main')
  ledger.now += DAY_MS
  ledger.apply({ kind: 'retry', id, idempotency: { ...KEY, key: 'n'.repeat(32) } })
  assert.equal(ledger.rows.scan('u/', 'u0', 10).length, 1)
  assert.equal(ledger.rows.scan('v/', 'v0', 10).length, 1)
})

test('the key of a call is known for 24 hours, whatever other calls come meanwhile', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }))
  ledger.fail('main')
  ledger.apply({ kind: 'retry', id, idempotency: KEY }, { work: 1 })
  ledger.fail('main')
  ledger.now += DAY_MS - 1
  ledger.apply({ kind: 'retry', id, idempotency: { ...KEY, key: 'n'.repeat(32) } })
  const again = ledger.apply({ kind: 'retry', id, idempotency: KEY })
  assert.equal(again.ok && again.result, 'replayed')
  assert.equal(ledger.job(id)['run'], 3)
})

test('a refused call does not use up its key', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: ONCE } }))
  assert.equal(ledger.apply({ kind: 'retry', id, idempotency: KEY }).ok, false)
  ledger.fail('main')
  const reply = ledger.apply({ kind: 'retry', id, idempotency: KEY })
  assert.equal(reply.ok && reply.result, 'accepted')
})
