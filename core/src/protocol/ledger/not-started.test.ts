import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptOutcome } from './command.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'

const NOT_STARTED: AttemptOutcome = { kind: 'not_started' }
/** One attempt only, and something to undo if there is doubt about it. */
const ONCE = { retry: retry(1), compensate: {} }
const PLAN = planOf({ a: ONCE })

test('a task whose attempt never began is ready again in the same entry, under the next number', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.end(ledger.attemptOf('a'), NOT_STARTED, {})
  assert.deepEqual(ledger.ready, { work: 1 })
  assert.equal(ledger.step(id, 'a').status, 'queued')
  ledger.start()
  ledger.end(ledger.attemptOf('a'), NOT_STARTED)
  ledger.succeed('a', 'done')
  assert.equal(ledger.job(id).status, 'succeeded')
  const attempts = ledger.step(id, 'a').attempts.map(({ attempt, outcome }) => [attempt, outcome])
  assert.deepEqual(attempts, [
    [1, 'lost'],
    [2, 'lost'],
    [3, 'succeeded'],
  ])
})

test('history and the error say that the attempt never began', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.end(ledger.attemptOf('a'), NOT_STARTED)
  const ended = ledger.history(id).find(({ type }) => type === 'attempt_ended')
  assert.equal(ended?.outcome, 'not_started')
  assert.match(JSON.stringify(ledger.step(id, 'a').attempts[0]), /"attempt_not_started"/)
})

test('an attempt that never began leaves nothing to undo, whatever the job was asked meanwhile', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.apply({ kind: 'cancel', id, compensate: true })
  ledger.end(ledger.attemptOf('a'), NOT_STARTED)
  assert.equal(ledger.job(id).status, 'cancelled')
  assert.equal(ledger.step(id, 'a').status, 'cancelled')
})

test('a step beside one that failed is not undone for an attempt that never began', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: ONCE, b: {} }))
  const idle = ledger.attemptOf('a')
  ledger.fail('b', { retryable: false })
  ledger.end(idle, NOT_STARTED)
  assert.equal(ledger.job(id).status, 'failed')
})

test('an item and a compensation that never began are started again', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 2 } }
  const id = ledger.submit(planOf({ a: { ...ONCE, forEach }, b: { needs: ['a'] } }))
  ledger.end(ledger.attemptOf('a', { index: 0 }), NOT_STARTED)
  ledger.succeed('a', 1, { index: 0 })
  ledger.succeed('a', 1, { index: 1 })
  ledger.fail('b', { retryable: false })
  assert.equal(ledger.job(id).status, 'compensating')
  for (let round = 0; round < 10 && ledger.running.size > 0; round += 1) {
    const [attempt] = ledger.running.keys()
    ledger.end(attempt ?? '', round < 3 ? NOT_STARTED : { kind: 'succeeded', output: null })
  }
  assert.equal(ledger.job(id).status, 'compensated')
})
