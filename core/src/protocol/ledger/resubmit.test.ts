import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Command } from './command.js'
import type { Reply } from './outcome.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf } from './testing/plans.js'

const b = { needs: ['a'], input: { $from: '/steps/a/output' } }
const c = { needs: ['b'], input: { $from: '/steps/b/output' }, retry: ONCE }
/** `a` → `b` → `c`, and `side` beside them. */
const PLAN = planOf({ a: {}, b, c, side: {} })

/** A job whose step `c` has failed; everything else is done. */
function failedJob(ledger: LedgerHarness, options = {}): string {
  const id = ledger.submit(PLAN, { input: 'first', ...options })
  ledger.succeed('side', 's')
  ledger.succeed('a', 1)
  ledger.succeed('b', 2)
  ledger.fail('c')
  assert.equal(ledger.job(id).status, 'failed')
  return id
}

interface Asked extends Partial<Extract<Command, { readonly kind: 'resubmit' }>> {
  readonly source: string
}

function resubmit(ledger: LedgerHarness, asked: Asked): { readonly id: string; reply: Reply } {
  const id = ledger.newJobId()
  const reply = ledger.apply({ kind: 'resubmit', id, ...asked }, { work: 1000 })
  return { id, reply }
}

function codeOf(reply: Reply): string {
  return reply.ok ? 'ok' : reply.code
}

test('a resubmitted job is like the first, runs all of it, and leaves the first as it is', () => {
  const ledger = new LedgerHarness()
  const terms = { priority: 7, labels: { team: 'red' }, timeoutMs: 90_000, affinity: 'x' }
  const source = failedJob(ledger, { ...terms, retentionMs: 5000, delayMs: 0 })
  const before = ledger.rows.get(`j/${source}`)
  ledger.now += 1000
  const { id, reply } = resubmit(ledger, { source })
  assert.equal(reply.ok && reply.result, 'accepted')
  const job = ledger.job(id)
  assert.notEqual(id, source)
  assert.deepEqual(
    [job['priority'], job['labels'], job['affinity'], job['input'], job['run']],
    [7, { team: 'red' }, 'x', 'first', 1],
  )
  assert.equal(job['timesOutAt'], new Date(ledger.now + 90_000).toISOString())
  for (const step of ['side', 'a', 'b', 'c']) ledger.succeed(step, step)
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.deepEqual(ledger.rows.get(`j/${source}`), before)
  const told = ledger.history(id).find(({ type }) => type === 'job_resubmitted')
  assert.deepEqual([told?.source, told?.run, told?.from], [source, 1, undefined])
})

test('from a step on only that step and those behind it run, with the outputs of the others', () => {
  const ledger = new LedgerHarness()
  const source = failedJob(ledger)
  const { id } = resubmit(ledger, { source, from: 'c' })
  assert.deepEqual(
    [...ledger.running.values()].map(({ step, body }) => [step, body]),
    [['c', '{"input":2}']],
  )
  for (const step of ['a', 'b', 'side']) {
    const { status, takenFrom, attemptCount } = ledger.step(id, step)
    assert.deepEqual([status, takenFrom, attemptCount], ['succeeded', source, 0])
  }
  assert.equal(ledger.step(id, 'b')['output'], 2)
  const taken = ledger.history(id).filter(({ type }) => type === 'output_taken_over')
  assert.deepEqual(
    taken.map(({ step, source: from }) => [step, from]),
    [
      ['a', source],
      ['b', source],
      ['side', source],
    ],
  )
  ledger.succeed('c', 3)
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('what was taken over twice is said to be of the job that has done it', () => {
  const ledger = new LedgerHarness()
  const source = failedJob(ledger)
  const second = resubmit(ledger, { source, from: 'b' }).id
  ledger.succeed('b', 20)
  ledger.fail('c')
  const { id } = resubmit(ledger, { source: second, from: 'c' })
  assert.equal(ledger.step(id, 'a')['takenFrom'], source)
  assert.equal(ledger.step(id, 'b')['takenFrom'], second)
})

test('a step that is needed and has no output is named; one beside it that has none runs', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(PLAN)
  ledger.succeed('a', 1)
  const cut = ledger.attemptOf('side')
  ledger.end(ledger.attemptOf('b'), {
    kind: 'failed',
    error: { code: 'broken', message: 'it broke', retryable: false },
  })
  ledger.end(cut, { kind: 'cancelled' })
  const refused = resubmit(ledger, { source, from: 'c' }).reply
  assert.equal(codeOf(refused), 'output_missing')
  assert.match(JSON.stringify(refused), /resubmit it from b, or from the start/)
  const { id } = resubmit(ledger, { source, from: 'b' })
  assert.deepEqual([...ledger.running.values()].map(({ step }) => step).sort(), ['b', 'side'])
  assert.equal(ledger.step(id, 'a').status, 'succeeded')
})

test('more outputs than one entry may copy are refused, and nothing is made', () => {
  const ledger = new LedgerHarness()
  const names = Array.from({ length: 40 }, (_, n) => `s${n}`)
  const steps = Object.fromEntries(names.map((name) => [name, { retry: ONCE }]))
  const source = ledger.submit(planOf({ ...steps, last: { needs: names, retry: ONCE } }))
  for (const name of names) ledger.succeed(name, 'x'.repeat(250_000))
  ledger.fail('last')
  const { id, reply } = resubmit(ledger, { source, from: 'last' })
  assert.equal(codeOf(reply), 'payload_too_large')
  assert.match(JSON.stringify(reply), /more than 8 MiB; resubmit it from an earlier step/)
  assert.equal(codeOf(ledger.query({ kind: 'job', id })), 'job_not_found')
  assert.equal(ledger.running.size, 0)
  assert.equal(codeOf(resubmit(ledger, { source }).reply), 'ok')
})

test('what the first job has undone is not taken over', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(planOf({ a: { compensate: true }, b: { ...b, retry: ONCE } }))
  ledger.succeed('a', 1)
  ledger.fail('b')
  ledger.end(ledger.attemptOf('a', { hook: 'compensate' }), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(source).status, 'compensated')
  assert.equal(codeOf(resubmit(ledger, { source, from: 'b' }).reply), 'output_missing')
  assert.equal(codeOf(resubmit(ledger, { source, from: 'a' }).reply), 'ok')
})

test('a job that takes outputs over and fails does not undo what the first job has done', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(planOf({ a: { compensate: true }, b: { ...b, retry: ONCE } }))
  ledger.succeed('a', 1)
  ledger.succeed('b', 2)
  assert.equal(ledger.job(source).status, 'succeeded')
  const { id } = resubmit(ledger, { source, from: 'b' })
  ledger.fail('b')
  assert.equal(ledger.job(id).status, 'failed')
  assert.equal(ledger.step(id, 'a').compensation, null)
})

test('a job that has not ended is resubmitted from the start only: it may still undo its steps', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(PLAN)
  ledger.succeed('a', 1)
  ledger.succeed('b', 2)
  assert.equal(codeOf(resubmit(ledger, { source, from: 'c' }).reply), 'job_not_finished')
  assert.equal(codeOf(resubmit(ledger, { source }).reply), 'ok')
})

test('an unknown step, an unknown job and a removed one are told apart', () => {
  const ledger = new LedgerHarness()
  const source = failedJob(ledger)
  assert.equal(codeOf(resubmit(ledger, { source, from: 'zzz' }).reply), 'step_not_found')
  const nobody = { source: 'f'.repeat(32) }
  assert.equal(codeOf(resubmit(ledger, nobody).reply), 'job_not_found')
  ledger.apply({ kind: 'delete-job', id: source })
  assert.equal(codeOf(resubmit(ledger, { source }).reply), 'job_not_found')
})

test('a repeat under the same key gives the job that the first call has made', () => {
  const ledger = new LedgerHarness()
  const source = failedJob(ledger)
  const idempotency = { key: '1'.repeat(32), fingerprint: '2'.repeat(32) }
  const first = resubmit(ledger, { source, idempotency })
  ledger.apply({ kind: 'delete-job', id: source })
  const again = resubmit(ledger, { source, idempotency }).reply
  assert.ok(again.ok && again.result === 'replayed')
  assert.equal(JSON.parse(again.body ?? '{}').id, first.id)
  const other = { key: idempotency.key, fingerprint: '3'.repeat(32) }
  const refused = resubmit(ledger, { source, idempotency: other }).reply
  assert.equal(codeOf(refused), 'idempotency_key_reused')
  assert.equal(ledger.rows.scan('x/', 'x~', 100).length, 1, 'there is one job beside the removed')
})

test('an input of its own replaces that of the first job', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(planOf({ main: { input: { $from: '/input' } } }), { input: 'old' })
  ledger.succeed('main')
  const { id } = resubmit(ledger, { source, input: { new: true } })
  assert.deepEqual(ledger.job(id)['input'], { new: true })
  assert.equal([...ledger.running.values()][0]?.body, '{"input":{"new":true}}')
})

test('the output of a forEach is taken over, its items stay with the job that had them', () => {
  const ledger = new LedgerHarness()
  const each = { forEach: { items: ['x', 'y'] } }
  const join = { needs: ['each'], input: { $from: '/steps/each/output' }, retry: ONCE }
  const source = ledger.submit(planOf({ each, join }))
  ledger.succeed('each', 'X', { index: 0 })
  ledger.succeed('each', 'Y', { index: 1 })
  ledger.fail('join')
  const { id } = resubmit(ledger, { source, from: 'join' })
  assert.equal([...ledger.running.values()][0]?.body, '{"input":["X","Y"]}')
  const ask = () => ledger.query({ kind: 'items', id, step: 'each', after: -1, limit: 10 })
  const shown = ask()
  assert.ok(shown.ok)
  const { items } = JSON.parse(shown.body ?? '{}')
  assert.deepEqual(
    items.map(({ output }: { output: string }) => output),
    ['X', 'Y'],
  )
  ledger.succeed('join')
  ledger.apply({ kind: 'delete-job', id: source })
  const gone = ask()
  assert.ok(!gone.ok && gone.message.includes(`were those of job ${source}`))
  assert.deepEqual(ledger.step(id, 'each')['output'], ['X', 'Y'])
})

test('an output of a forEach that was too large to keep is no input after a resubmission either', () => {
  const ledger = new LedgerHarness()
  const each = { forEach: { items: ['x', 'y'] } }
  const join = { needs: ['each'], input: { $from: '/steps/each/output' }, retry: ONCE }
  const source = ledger.submit(planOf({ each, join }))
  const large = 'l'.repeat(200_000)
  ledger.succeed('each', large, { index: 0 })
  ledger.succeed('each', large, { index: 1 })
  assert.equal(ledger.job(source).status, 'failed')
  const { id } = resubmit(ledger, { source, from: 'join' })
  assert.equal(JSON.stringify(ledger.step(id, 'join')['error']).includes('input_too_large'), true)
})

test('what was skipped before the step stays skipped, whatever the new input says', () => {
  const ledger = new LedgerHarness()
  const when = { from: '/input', is: { kind: 'equals' as const, value: 'run' } }
  const last = { needs: ['maybe'], onSkippedNeed: 'run' as const, retry: ONCE }
  const source = ledger.submit(planOf({ maybe: { when }, last }), { input: 'skip' })
  ledger.fail('last')
  const { id, reply } = resubmit(ledger, { source, from: 'last', input: 'run' })
  assert.equal(reply.ok, true)
  assert.deepEqual(
    [...ledger.running.values()].map(({ step }) => step),
    ['last'],
  )
  assert.equal(ledger.step(id, 'maybe').status, 'skipped')
})

test('what ran because the first job had failed is not taken over, and is no step to begin with', () => {
  const ledger = new LedgerHarness()
  const source = ledger.submit(planOf({ work: { retry: ONCE }, tell: { onFailure: true } }))
  ledger.fail('work')
  ledger.succeed('tell', 'told')
  assert.equal(codeOf(resubmit(ledger, { source, from: 'tell' }).reply), 'step_not_found')
  const { id } = resubmit(ledger, { source, from: 'work' })
  ledger.fail('work')
  assert.equal(ledger.step(id, 'tell').status, 'running')
  ledger.succeed('tell')
  assert.equal(ledger.job(id).status, 'failed')
})
