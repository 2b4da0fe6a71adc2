import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobPlan } from '@gyre/jobs'
import { keys } from './rows-layout.js'
import { checkStory } from './testing/history-oracle.js'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf, retry, type StepSketch } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const TELL: StepSketch = { service: 'tell', onFailure: true, input: { $from: '/failure' } }

/** `charge` may fail; then `tell` runs, and `reserve` is undone. */
function orderPlan(tell: StepSketch = TELL): JobPlan {
  return planOf({
    reserve: { compensate: { service: 'undo' } },
    charge: { needs: ['reserve'], retry: ONCE },
    tell,
  })
}

function failedOrder(tell?: StepSketch): { ledger: LedgerHarness; id: string } {
  const ledger = new LedgerHarness()
  const id = ledger.submit(orderPlan(tell))
  ledger.succeed('reserve', 'shelf 1')
  ledger.fail('charge')
  return { ledger, id }
}

function runningServices(ledger: LedgerHarness): string[] {
  return [...ledger.running.values()].map(({ service }) => service)
}

function inputOfTell(ledger: LedgerHarness): unknown {
  return JSON.parse(ledger.running.get(ledger.attemptOf('tell'))?.body ?? '').input
}

test('when a step fails, failure steps run, told why, before anything is undone', () => {
  const { ledger, id } = failedOrder()
  assert.deepEqual(runningServices(ledger), ['tell'])
  assert.equal(ledger.job(id).status, 'running')
  assert.deepEqual(inputOfTell(ledger), {
    step: 'charge',
    cause: 'failed',
    error: { code: 'broken', message: 'it broke', retryable: true },
  })
  ledger.succeed('tell', 'told')
  assert.deepEqual(runningServices(ledger), ['undo'])
  ledger.end(ledger.attemptOf('reserve', { hook: 'compensate' }), {
    kind: 'succeeded',
    output: null,
  })
  const job = ledger.job(id)
  assert.equal(job.status, 'compensated')
  assert.equal(JSON.stringify(job['error']).includes('it broke'), true)
  assert.equal(ledger.step(id, 'tell')['output'], 'told')
  assert.deepEqual(job['progress'], { done: 1, total: 2 })
  checkRows(ledger.rows)
})

test('when the job succeeds, failure steps are skipped and take no part', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(orderPlan())
  ledger.succeed('reserve')
  ledger.succeed('charge')
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.step(id, 'tell').status, 'skipped')
  assert.equal(ledger.running.size, 0)
})

test('a failure step waits until nothing else of the job runs', () => {
  const ledger = new LedgerHarness()
  ledger.submit(planOf({ a: { retry: ONCE }, b: {}, tell: TELL }))
  ledger.fail('a')
  assert.deepEqual(runningServices(ledger), ['work'])
  ledger.end(ledger.attemptOf('b'), { kind: 'cancelled' })
  assert.deepEqual(runningServices(ledger), ['tell'])
})

test('a failure step is tried again as its policy says, and its own failure changes nothing else', () => {
  const { ledger, id } = failedOrder({ ...TELL, retry: retry(2) })
  ledger.end(ledger.attemptOf('tell'), {
    kind: 'failed',
    error: { code: 'tell_broke', message: 'no line', retryable: true },
  })
  assert.equal(ledger.job(id).status, 'waiting')
  ledger.pass(1000)
  ledger.end(ledger.attemptOf('tell'), failed(true))
  assert.deepEqual(runningServices(ledger), ['undo'])
  assert.equal(ledger.step(id, 'tell').status, 'failed')
  assert.equal(ledger.job(id)['cause'], 'failed')
  assert.equal(JSON.stringify(ledger.job(id)['error']).includes('it broke'), true)
})

test('failure steps go in the order of their needs; one whose need failed is skipped', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({
      work: { retry: ONCE },
      one: { ...TELL, retry: ONCE },
      two: { ...TELL, needs: ['one'], input: { $from: '/steps/one/output' } },
    }),
  )
  ledger.fail('work')
  assert.equal(ledger.running.size, 1)
  ledger.fail('one')
  assert.equal(ledger.job(id).status, 'failed')
  assert.equal(ledger.step(id, 'two').status, 'skipped')
})

test('a failure step may look at what steps gave, and is given null for what there is not', () => {
  const input = [{ $from: '/steps/reserve/output' }, { $from: '/steps/charge/output/id' }]
  const { ledger } = failedOrder({ ...TELL, input })
  assert.deepEqual(inputOfTell(ledger), ['shelf 1', null])
})

test('a failure step that points at an input that is not there fails by itself', () => {
  const { ledger, id } = failedOrder({ ...TELL, input: { $from: '/input/nowhere' } })
  assert.equal(JSON.stringify(ledger.step(id, 'tell')['error']).includes('input_unresolved'), true)
  assert.deepEqual(runningServices(ledger), ['undo'])
})

test('with a condition, a failure step is there for some failures only', () => {
  for (const [code, runs] of [
    ['broken', true],
    ['other', false],
  ] as const) {
    const when = { from: '/failure/error/code', is: { kind: 'equals', value: code } } as const
    const { ledger, id } = failedOrder({ ...TELL, when })
    assert.deepEqual(runningServices(ledger), [runs ? 'tell' : 'undo'])
    assert.equal(ledger.step(id, 'tell').status, runs ? 'running' : 'skipped')
  }
})

test('a job that timed out runs its failure steps, without a step to name', () => {
  const ledger = new LedgerHarness()
  ledger.submit(planOf({ slow: {}, tell: TELL }), { timeoutMs: 1000 })
  ledger.pass(1000, { tell: 10 })
  ledger.end(ledger.attemptOf('slow'), { kind: 'cancelled' })
  const { step, cause, error } = inputOfTell(ledger) as Record<string, unknown>
  assert.deepEqual([step, cause], [null, 'timed_out'])
  assert.equal(JSON.stringify(error).includes('job_timed_out'), true)
  ledger.pass(100_000, {})
})

test('a job that was not started by its startBy has failed: it never started, and says so', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ work: {}, tell: TELL }), {
    startBy: ledger.now + 1000,
    slots: {},
  })
  ledger.pass(1000, { work: 10, tell: 10 })
  ledger.succeed('tell')
  const job = ledger.job(id)
  assert.deepEqual([job.status, job['startedAt']], ['failed', null])
  assert.equal(JSON.stringify(job['error']).includes('start_by_passed'), true)
})

test('a cancelled job runs no failure step', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(orderPlan())
  ledger.apply({ kind: 'cancel', id, compensate: false }, { tell: 10 })
  ledger.end(ledger.attemptOf('reserve'), { kind: 'cancelled' })
  assert.equal(ledger.job(id).status, 'cancelled')
  assert.equal(ledger.step(id, 'tell').status, 'skipped')
})

test('a cancel while failure steps run stops those, and what was done is undone all the same', () => {
  const { ledger, id } = failedOrder()
  ledger.apply({ kind: 'cancel', id, compensate: false }, { tell: 10, undo: 10 })
  assert.equal(ledger.job(id).status, 'cancelling')
  assert.equal(ledger.aborted.length, 1)
  ledger.end(ledger.attemptOf('tell'), { kind: 'cancelled' })
  assert.deepEqual(runningServices(ledger), ['undo'])
  assert.equal(ledger.job(id)['cause'], 'cancelled')
  checkRows(ledger.rows)
})

test('a new run that fails runs its failure steps anew, with attempts that go on counting', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ work: { retry: ONCE }, tell: TELL })
  const id = ledger.submit(plan)
  ledger.fail('work')
  ledger.succeed('tell', 'first')
  assert.equal(ledger.job(id).status, 'failed')
  ledger.apply({ kind: 'retry', id }, { work: 10, tell: 10 })
  assert.deepEqual(runningServices(ledger), ['work'])
  assert.equal(ledger.rows.get(keys.output(id, 'tell')), undefined)
  assert.equal(ledger.step(id, 'tell').status, 'waiting')
  ledger.fail('work')
  assert.equal(ledger.running.get(ledger.attemptOf('tell'))?.number, 2)
  ledger.succeed('tell', 'second')
  const { attempts, output } = ledger.step(id, 'tell')
  assert.deepEqual([attempts.length, output], [2, 'second'])
  checkStory(plan, ledger.history(id), ledger.job(id).status)
  checkRows(ledger.rows)
})

test('a new run that succeeds runs no failure step, and its job has succeeded', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ work: { retry: ONCE }, tell: TELL }))
  ledger.fail('work')
  ledger.succeed('tell', 'first')
  ledger.apply({ kind: 'retry', id }, { work: 10, tell: 10 })
  ledger.succeed('work')
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.step(id, 'tell').status, 'skipped')
})

test('a failure step whose process dies is lost like any other, and the job goes on after a crash', () => {
  const { ledger, id } = failedOrder({ ...TELL, retry: retry(3) })
  ledger.crash()
  ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot })
  ledger.pass(60_000)
  ledger.succeed('tell')
  assert.deepEqual(runningServices(ledger), ['undo'])
  assert.equal(ledger.job(id).status, 'compensating')
})
