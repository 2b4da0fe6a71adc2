import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf, retry } from './testing/plans.js'

const CHAIN = planOf({
  a: { compensate: true, input: { $from: '/input/of' } },
  b: { needs: ['a'] },
  c: { needs: ['b'], compensate: true },
  d: { needs: ['c'], retry: ONCE },
})

/** A job whose last step has just failed, with a and c to be undone. */
function failedChain(ledger: LedgerHarness): string {
  const id = ledger.submit(CHAIN, { input: { of: 'x' } })
  for (const step of ['a', 'b', 'c']) ledger.succeed(step, `out-${step}`)
  ledger.fail('d')
  return id
}

const undo = { hook: 'compensate' } as const

test('a failed job undoes its steps with a hook, newest first, one after another', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  assert.equal(ledger.job(id).status, 'compensating')
  assert.equal(ledger.running.size, 1)
  ledger.end(ledger.attemptOf('c', undo), { kind: 'succeeded', output: null })
  assert.equal(ledger.running.size, 1)
  ledger.end(ledger.attemptOf('a', undo), { kind: 'succeeded', output: null })
  const job = ledger.job(id)
  assert.equal(job.status, 'compensated')
  assert.equal(job['cause'], 'failed')
  assert.deepEqual(
    job.steps.map(({ compensation }) => compensation?.status ?? null),
    ['succeeded', null, 'succeeded', null],
  )
  const announced = ledger.history(id).find(({ type }) => type === 'compensation_started')
  assert.deepEqual(announced, { ...announced, steps: ['c', 'a'] })
})

test('the decision to fail starts the first compensation; j compensations take j more entries', () => {
  const ledger = new LedgerHarness()
  failedChain(ledger)
  const before = ledger.index
  for (const step of ['c', 'a']) {
    ledger.end(ledger.attemptOf(step, undo), { kind: 'succeeded', output: null })
  }
  assert.equal(ledger.index - before, 2)
})

test('a hook without a template gets input and output of its step; an own hook gets them apart', () => {
  const ledger = new LedgerHarness()
  const own = { service: 'work', hook: true }
  const steps = {
    a: { compensate: true as const, input: { $from: '/input/of' } },
    b: { compensate: own, input: { $from: '/input/of' }, needs: ['a'] },
    c: { needs: ['b'], retry: ONCE },
  }
  ledger.submit(planOf(steps), { input: { of: 'x' } })
  ledger.succeed('a', 1)
  ledger.succeed('b', 2)
  ledger.fail('c')
  const ofB = ledger.running.get(ledger.attemptOf('b', undo))
  assert.equal(ofB?.hook, 'compensate')
  assert.equal(ofB?.body, '{"input":"x","output":2}')
  ledger.end(ledger.attemptOf('b', undo), { kind: 'succeeded', output: null })
  const ofA = ledger.running.get(ledger.attemptOf('a', undo))
  assert.equal(ofA?.hook, 'run')
  assert.equal(ofA?.body, '{"input":{"input":"x","output":1}}')
})

test('in a hook template a pointer into a missing output gives null', () => {
  const ledger = new LedgerHarness()
  const input = { id: { $from: '/steps/a/output/id' }, of: { $from: '/input/of' } }
  ledger.submit(planOf({ a: { compensate: { input }, timeoutMs: 10, retry: ONCE } }), {
    input: { of: 'x' },
  })
  const attempt = ledger.attemptOf('a')
  ledger.pass(10)
  ledger.end(attempt, { kind: 'succeeded', output: { id: 7 } })
  ledger.start()
  const dispatch = ledger.running.get(ledger.attemptOf('a', undo))
  assert.equal(dispatch?.body, '{"input":{"id":null,"of":"x"}}')
})

test('a step that failed cleanly is not undone, one that timed out is', () => {
  const clean = new LedgerHarness()
  const first = clean.submit(planOf({ a: { compensate: true, retry: ONCE } }))
  clean.fail('a')
  assert.equal(clean.job(first).status, 'failed')

  const unknown = new LedgerHarness()
  const second = unknown.submit(planOf({ a: { compensate: true, retry: ONCE } }))
  unknown.end(unknown.attemptOf('a'), { kind: 'timed_out' })
  unknown.start()
  assert.equal(unknown.job(second).status, 'compensating')
})

test('compensation waits until the running siblings of the failed step have ended', () => {
  const ledger = new LedgerHarness()
  const steps = {
    a: { compensate: true as const },
    slow: { compensate: true as const },
    bad: { retry: ONCE },
  }
  const id = ledger.submit(planOf(steps))
  ledger.succeed('a')
  const slow = ledger.attemptOf('slow')
  ledger.fail('bad')
  ledger.start()
  assert.deepEqual(ledger.aborted, [slow])
  assert.equal(ledger.running.size, 1)
  ledger.end(slow, { kind: 'cancelled' })
  ledger.start()
  assert.equal(ledger.job(id).status, 'compensating')
  // It ended last, and nobody knows what it did: it is undone first.
  ledger.end(ledger.attemptOf('slow', undo), { kind: 'succeeded', output: null })
  ledger.start()
  ledger.end(ledger.attemptOf('a', undo), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(id).status, 'compensated')
})

test('a compensation has its own retries; when they are used up the job waits for an operator', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  for (let round = 1; round <= 3; round += 1) {
    ledger.end(ledger.attemptOf('c', undo), failed(true))
    ledger.pass(600_000)
  }
  const job = ledger.job(id)
  assert.equal(job.status, 'compensation_failed')
  assert.equal(ledger.running.size, 0)
  assert.equal(ledger.step(id, 'c').compensation?.status, 'failed')
  assert.equal(ledger.step(id, 'a').compensation?.status, 'waiting')
})

test('cancelling a job whose compensation failed is refused and names the ways on', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  ledger.end(ledger.attemptOf('c', undo), failed(false))
  const reply = ledger.apply({ kind: 'cancel', id, compensate: false })
  assert.ok(!reply.ok && reply.code === 'job_finished')
  assert.match(reply.message, /retry.*skip/)
})

test('an operator retries a failed compensation in the same run', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  ledger.end(ledger.attemptOf('c', undo), failed(false))
  const reply = ledger.apply({ kind: 'retry', id }, { 'undo.c': 1 })
  assert.equal(reply.ok && reply.result, 'accepted')
  assert.equal(ledger.job(id)['run'], 1)
  assert.match(ledger.attemptOf('c', undo), /\.2$/)
  for (const step of ['c', 'a']) {
    ledger.end(ledger.attemptOf(step, undo), { kind: 'succeeded', output: null })
    ledger.start()
  }
  assert.equal(ledger.job(id).status, 'compensated')
})

test('an operator skips a failed compensation with a reason, and the others go on', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  ledger.end(ledger.attemptOf('c', undo), failed(false))
  const skip = { kind: 'skip', id, step: 'c', reason: 'refunded by hand' } as const
  assert.equal(ledger.apply({ ...skip, step: 'a' }).ok, false)
  assert.equal(ledger.apply(skip, { 'undo.a': 1 }).ok, true)
  ledger.end(ledger.attemptOf('a', undo), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(id).status, 'compensated')
  const { compensation } = ledger.step(id, 'c')
  assert.equal(compensation?.status, 'skipped')
  assert.equal(JSON.stringify(compensation?.['skipped']).includes('refunded by hand'), true)
  const again = ledger.apply(skip)
  assert.equal(!again.ok && again.code, 'nothing_to_skip')
})

test('an operator ends a job whose compensation failed: failed for good, with the reason told', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  const fail = { kind: 'fail', id, reason: 'settled by phone' } as const
  const early = ledger.apply(fail)
  assert.equal(!early.ok && early.code, 'nothing_to_fail')
  ledger.end(ledger.attemptOf('c', undo), failed(false))
  assert.equal(ledger.job(id).status, 'compensation_failed')

  const stamp = { key: '1'.repeat(32), fingerprint: '2'.repeat(32) }
  assert.equal(ledger.apply({ ...fail, idempotency: stamp }, { 'undo.a': 1 }).ok, true)
  assert.equal(ledger.job(id).status, 'failed')
  assert.equal(ledger.running.size, 0, 'nothing more is undone')
  const skip = ledger.apply({ kind: 'skip', id, step: 'c', reason: 'late' })
  assert.equal(!skip.ok && skip.code, 'nothing_to_skip')
  const told = ledger.history(id).slice(-2)
  assert.deepEqual(
    told.map(({ type }) => type),
    ['compensation_given_up', 'job_ended'],
  )
  assert.equal(JSON.stringify(told[0]).includes('settled by phone'), true)
  const left = ['c', 'a'].map((step) => ledger.step(id, step).compensation)
  assert.deepEqual(
    left.map((one) => one?.status),
    ['failed', 'skipped'],
  )
  const at = new Date(ledger.now).toISOString()
  assert.deepEqual(left[1]?.['skipped'], { reason: 'settled by phone', at })
  const again = ledger.apply({ ...fail, idempotency: stamp })
  assert.equal(again.ok && again.result, 'replayed')
  const other = ledger.apply(fail)
  assert.equal(!other.ok && other.code, 'nothing_to_fail')
})

test('a job that an operator has ended is not retried, and can be deleted', () => {
  const ledger = new LedgerHarness()
  const id = failedChain(ledger)
  ledger.end(ledger.attemptOf('c', undo), failed(false))
  const early = ledger.apply({ kind: 'delete-job', id })
  assert.equal(!early.ok && early.code, 'job_not_finished')
  ledger.apply({ kind: 'fail', id, reason: 'settled by phone' })
  const retried = ledger.apply({ kind: 'retry', id })
  assert.equal(!retried.ok && retried.code, 'nothing_to_retry')
  assert.equal(ledger.apply({ kind: 'delete-job', id }).ok, true)
  assert.equal(ledger.rows.get(`j/${id}`), undefined)
})

test('a compensation carries a higher fence than every attempt before it', () => {
  const ledger = new LedgerHarness()
  ledger.submit(CHAIN, { input: { of: 'x' } })
  const fences: number[] = []
  for (const step of ['a', 'b', 'c']) {
    fences.push(ledger.running.get(ledger.attemptOf(step))?.fence ?? 0)
    ledger.succeed(step)
  }
  ledger.fail('d')
  fences.push(ledger.running.get(ledger.attemptOf('c', undo))?.fence ?? 0)
  assert.deepEqual(
    fences,
    [...fences].sort((a, b) => a - b),
  )
  assert.equal(new Set(fences).size, fences.length)
})

test('a failed job without hooks can be retried: succeeded steps keep their outputs', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({ a: {}, b: { needs: ['a'], retry: retry(2), input: { $from: '/steps/a/output' } } }),
  )
  ledger.succeed('a', 'kept')
  ledger.fail('b')
  ledger.pass(1000)
  ledger.fail('b')
  assert.equal(ledger.job(id).status, 'failed')
  const reply = ledger.apply({ kind: 'retry', id }, { work: 1 })
  assert.equal(reply.ok, true)
  const attempt = ledger.attemptOf('b')
  assert.match(attempt, new RegExp(`^${id}\\.2\\.b\\.-\\.r\\.3$`))
  assert.equal(ledger.running.get(attempt)?.body, '{"input":"kept"}')
  ledger.succeed('b', 'done')
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.job(id)['run'], 2)
  const refused = ledger.apply({ kind: 'retry', id })
  assert.equal(!refused.ok && refused.code, 'nothing_to_retry')
})

test('a new run gives a step all the attempts of its policy again', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { retry: retry(2, { delayMs: 0 }) } }))
  const failTwice = (): void => {
    ledger.fail('a')
    ledger.pass(0)
    ledger.fail('a')
  }
  failTwice()
  ledger.apply({ kind: 'retry', id }, { work: 1 })
  failTwice()
  assert.equal(ledger.job(id).status, 'failed')
  assert.equal(ledger.step(id, 'a').attemptCount, 4)
})
