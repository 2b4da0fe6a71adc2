import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@gyre/jobs'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'

test('a job of one step takes two entries: submit starts it, its end finishes the job', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { input: { $from: '/input/n' } } }), { input: { n: 7 } })
  assert.equal(ledger.job(id).status, 'running')
  const [dispatch] = ledger.running.values()
  assert.equal(dispatch?.body, '{"input":7}')
  ledger.succeed('main', { doubled: 14 })
  const job = ledger.job(id)
  assert.equal(job.status, 'succeeded')
  assert.deepEqual(job['output'], { doubled: 14 })
  assert.equal(ledger.index, 2)
})

test('n sequential steps take 1 + n entries', () => {
  const ledger = new LedgerHarness()
  const steps = { a: {}, b: { needs: ['a'] }, c: { needs: ['b'] }, d: { needs: ['c'] } }
  const id = ledger.submit(planOf(steps))
  for (const step of Object.keys(steps)) ledger.succeed(step, step)
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.index, 1 + 4)
})

test('a failed attempt is tried again after its delay and in the entry of its timer', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(3, { delayMs: 500 }) } }))
  ledger.fail('main')
  assert.equal(ledger.job(id).status, 'waiting')
  ledger.pass(499)
  assert.equal(ledger.running.size, 0)
  ledger.pass(1)
  ledger.succeed('main')
  const { attempts } = ledger.step(id, 'main')
  assert.deepEqual(
    attempts.map(({ attempt, outcome }) => [attempt, outcome]),
    [
      [1, 'failed'],
      [2, 'succeeded'],
    ],
  )
})

test('an attempt past its timeout is told to stop, and is tried again only when it has ended', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { timeoutMs: 1000 } }))
  const first = ledger.attemptOf('main')
  ledger.pass(1000)
  assert.deepEqual(ledger.aborted, [first])
  ledger.pass(600_000)
  assert.equal(ledger.running.size, 1)
  ledger.end(first, { kind: 'succeeded', output: 'too late' })
  ledger.pass(1000)
  assert.match(ledger.attemptOf('main'), /\.2$/)
  ledger.succeed('main', 'in time')
  assert.equal(ledger.job(id)['output'], 'in time')
})

test('a job fails when its step has used all attempts', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(2) } }))
  ledger.fail('main')
  ledger.pass(1000)
  ledger.end(ledger.attemptOf('main'), failed(true))
  const job = ledger.job(id)
  assert.equal(job.status, 'failed')
  assert.equal(job['cause'], 'failed')
})

test('a report of success without an output gives null', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: {} }))
  const report = JSON.parse('{"kind":"succeeded"}')
  ledger.end(ledger.attemptOf('main'), report)
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.job(id)['output'], null)
})

test('an output template whose result is nested deeper than values may be fails the job', () => {
  const deep = JSON.parse('['.repeat(60) + ']'.repeat(60))
  for (const [levels, status] of [
    [4, 'succeeded'],
    [5, 'failed'],
  ] as const) {
    const ledger = new LedgerHarness()
    let output: Json = { $from: '/steps/a/output' }
    for (let level = 0; level < levels; level += 1) output = [output]
    const id = ledger.submit(planOf({ a: {} }, output))
    ledger.succeed('a', deep)
    const job = ledger.job(id)
    assert.equal(job.status, status)
    if (status === 'failed') assert.equal(Object(job['error']).code, 'output_invalid')
  }
})
