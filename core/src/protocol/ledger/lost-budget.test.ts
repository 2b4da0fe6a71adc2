import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const LOST = { kind: 'lost', charged: true } as const
const HANDED_BACK = { kind: 'lost', charged: false } as const
const PLAN = planOf({ a: { retry: retry(9, { delayMs: 0 }), compensate: true } })

function lose(ledger: LedgerHarness, step: string, options: { hook?: 'compensate' } = {}): void {
  ledger.end(ledger.attemptOf(step, options), LOST)
  ledger.pass(0)
}

test('the third lost attempt of a step ends its job with cause poison, and what it may have done is undone', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  for (const lost of [1, 2]) {
    lose(ledger, 'a')
    assert.equal(ledger.step(id, 'a')['lostAttempts'], lost)
    assert.equal(ledger.job(id).status, 'running')
  }
  lose(ledger, 'a')
  const job = ledger.job(id)
  assert.equal(job['cause'], 'poison')
  assert.equal(Object(job['error']).code, 'poison')
  assert.equal(job.status, 'compensating')
  assert.deepEqual(
    ledger.history(id).flatMap((event) => Object(event).lostAttempts ?? []),
    [1, 2, 3],
  )
  checkRows(ledger.rows)
})

test('a process that dies three times under an attempt has used up its budget', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  for (let death = 0; death < 3; death += 1) {
    ledger.crash()
    ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot })
    ledger.pass(0)
  }
  assert.equal(ledger.job(id)['cause'], 'poison')
})

test('attempts that are handed back do not count, however many they are', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  lose(ledger, 'a')
  lose(ledger, 'a')
  for (let turn = 0; turn < 9; turn += 1) ledger.end(ledger.attemptOf('a'), HANDED_BACK)
  ledger.succeed('a')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test("lost attempts and failures have budgets of their own, and an operator's retry renews both", () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { retry: retry(3, { delayMs: 0 }) } }))
  for (const round of [1, 2]) {
    ledger.end(ledger.attemptOf('a'), failed(true))
    ledger.pass(0)
    for (let loss = 0; loss < 3; loss += 1) lose(ledger, 'a')
    assert.equal(ledger.job(id).status, 'failed')
    assert.equal(ledger.job(id)['cause'], 'poison')
    assert.equal(ledger.job(id)['run'], round)
    ledger.apply({ kind: 'retry', id }, { work: 1 })
  }
  ledger.fail('a', { retryable: false })
  assert.equal(ledger.job(id)['cause'], 'failed')
})

test('a handler that calls its own failure poison does not make the job one', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  const error = { code: 'poison', message: 'so it says', retryable: false }
  ledger.end(ledger.attemptOf('a'), { kind: 'failed', error })
  assert.equal(ledger.job(id)['cause'], 'failed')
})

test('a task that may be started only once is never poison: it is unknown after its first loss', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { retry: retry(1) } }))
  lose(ledger, 'a')
  assert.equal(ledger.job(id)['cause'], 'failed')
  assert.equal(Object(ledger.step(id, 'a')['error']).code, 'attempt_unknown')
})

test('items that may be started only once are all unknown when their process dies, not only the first', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 3 }, concurrency: 3 }
  const id = ledger.submit(planOf({ a: { retry: retry(1), forEach } }))
  for (const index of [0, 1, 2]) ledger.attemptOf('a', { index })
  ledger.crash()
  ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot })
  const reply = ledger.query({ kind: 'items', id, step: 'a', after: -1, limit: 9 })
  assert.ok(reply.ok)
  const { items }: { items: { error: { code: string } }[] } = JSON.parse(reply.body ?? '')
  const codes = items.map(({ error }) => error.code)
  assert.deepEqual(codes, ['attempt_unknown', 'attempt_unknown', 'attempt_unknown'])
  checkRows(ledger.rows)
})

test('a poisoned item ends its step also where failed items count as results, and runs again on retry', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: [1, 2], onItemError: 'continue' } as const
  const id = ledger.submit(planOf({ a: { retry: retry(5, { delayMs: 0 }), forEach } }))
  ledger.succeed('a', 1, { index: 0 })
  for (let loss = 0; loss < 3; loss += 1) {
    ledger.end(ledger.attemptOf('a', { index: 1 }), LOST)
    ledger.pass(0)
  }
  assert.equal(ledger.job(id)['cause'], 'poison')
  ledger.apply({ kind: 'retry', id }, { work: 2 })
  ledger.succeed('a', 2, { index: 1 })
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.deepEqual(ledger.step(id, 'a')['output'], [1, 2])
  checkRows(ledger.rows)
})

test('a forEach shows the losses of the item that lost most, anew in each run', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: [1, 2] }
  const id = ledger.submit(planOf({ a: { retry: retry(5, { delayMs: 0 }), forEach } }))
  const lost = () => ledger.step(id, 'a')['lostAttempts']
  assert.equal(lost(), 0)
  for (const [index, expected] of [
    [0, 1],
    [1, 1],
    [1, 2],
    [1, 3],
  ] as const) {
    ledger.end(ledger.attemptOf('a', { index }), LOST)
    ledger.pass(0)
    assert.equal(lost(), expected)
  }
  ledger.end(ledger.attemptOf('a', { index: 0 }), { kind: 'cancelled' })
  const reply = ledger.query({ kind: 'items', id, step: 'a', after: -1, limit: 9 })
  const { items } = JSON.parse((reply.ok && reply.body) || '')
  assert.deepEqual(
    items.map((item: object) => Object(item).lostAttempts),
    [1, 3],
  )
  ledger.apply({ kind: 'retry', id }, { work: 2 })
  assert.equal(lost(), 0)
})

test('a compensation that loses three attempts has failed, until an operator retries it', () => {
  const ledger = new LedgerHarness()
  const compensate = { retry: retry(9, { delayMs: 0 }) }
  const id = ledger.submit(planOf({ a: { compensate }, b: { needs: ['a'] } }))
  ledger.succeed('a')
  ledger.fail('b', { retryable: false })
  for (let loss = 0; loss < 3; loss += 1) lose(ledger, 'a', { hook: 'compensate' })
  assert.equal(ledger.job(id).status, 'compensation_failed')
  assert.equal(ledger.job(id)['cause'], 'failed')
  assert.equal(Object(ledger.step(id, 'a').compensation?.['error']).code, 'poison')
  ledger.apply({ kind: 'retry', id }, { 'undo.a': 1 })
  ledger.end(ledger.attemptOf('a', { hook: 'compensate' }), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(id).status, 'compensated')
})

test('an attempt that ends cancelled because its job was cancelled counts as no lost one', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: [1, 2], concurrency: 2 }
  const id = ledger.submit(planOf({ a: {}, b: { forEach } }))
  ledger.apply({ kind: 'cancel', id, compensate: false })
  const running = [...ledger.running.keys()]
  assert.ok(running.length >= 3, 'the step and both items run')
  for (const attempt of running) ledger.end(attempt, { kind: 'cancelled' })
  assert.equal(ledger.job(id).status, 'cancelled')
  for (const name of ['a', 'b']) assert.equal(ledger.step(id, name)['lostAttempts'], 0, name)
})

test('an attempt that ends cancelled without having been asked counts as a lost one', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { retry: retry(5, { delayMs: 0 }) } }))
  ledger.end(ledger.attemptOf('a'), { kind: 'cancelled' })
  assert.equal(ledger.step(id, 'a')['lostAttempts'], 1)
})
