import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ActCommand } from './command.js'
import { BULK_JOBS_PER_ENTRY, BULK_KEPT_MS, BULK_WEIGHT_PER_ENTRY } from './limits.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const PLAN = planOf({ main: { retry: ONCE } })
const BULK = 'b'.repeat(32)
const ALL = {}

interface Slice {
  readonly done: number
  readonly skipped: number
  readonly ended: boolean
}

function act(ledger: LedgerHarness, asked: Partial<ActCommand>): Slice {
  const command = { kind: 'act-on-jobs', bulk: BULK, action: 'cancel', filter: ALL } as const
  const reply = ledger.apply({ ...command, ...asked })
  assert.ok(reply.ok)
  return JSON.parse(reply.body ?? '{}')
}

/** @returns each slice's sums, the last one ended */
function actOnAll(ledger: LedgerHarness, asked: Partial<ActCommand>): Slice[] {
  const slices = [act(ledger, asked)]
  while (slices.at(-1)?.ended === false) {
    assert.ok(slices.length < 20, 'it comes to no end')
    slices.push(act(ledger, asked))
  }
  return slices
}

function waitingJobs(ledger: LedgerHarness, count: number, options = {}): string[] {
  return Array.from({ length: count }, () => {
    ledger.now += 1
    return ledger.submit(PLAN, { slots: {}, ...options })
  })
}

function statusesOf(ledger: LedgerHarness, ids: readonly string[]): string[] {
  return [...new Set(ids.map((id) => ledger.job(id).status))]
}

test('a bulk action does a bounded slice of jobs in an entry, newest first, and notes how far it came', () => {
  const ledger = new LedgerHarness()
  const ids = waitingJobs(ledger, 2 * BULK_JOBS_PER_ENTRY + 1)
  const first = act(ledger, {})
  assert.deepEqual([first.done, first.ended], [BULK_JOBS_PER_ENTRY, false])
  assert.deepEqual(statusesOf(ledger, ids.slice(-BULK_JOBS_PER_ENTRY)), ['cancelled'])
  assert.deepEqual(statusesOf(ledger, ids.slice(0, -BULK_JOBS_PER_ENTRY)), ['queued'])
  const slices = actOnAll(ledger, {})
  assert.deepEqual(slices.at(-1), { done: ids.length, skipped: 0, failed: 0, ended: true })
  assert.deepEqual(statusesOf(ledger, ids), ['cancelled'])
  checkRows(ledger.rows)
})

test('what a crash interrupts goes on where it stood, and a slice that is asked for again changes nothing', () => {
  const ledger = new LedgerHarness()
  const ids = waitingJobs(ledger, BULK_JOBS_PER_ENTRY + 50)
  act(ledger, {})
  ledger.crash()
  const ended = actOnAll(ledger, {}).at(-1)
  assert.deepEqual(ended, { done: ids.length, skipped: 0, failed: 0, ended: true })
  const before = JSON.stringify(ledger.allRows().filter(({ key }) => key !== '#'))
  assert.deepEqual(act(ledger, {}), ended)
  assert.equal(JSON.stringify(ledger.allRows().filter(({ key }) => key !== '#')), before)
})

test('a crash after any slice, written out or not, costs no job its action and gives none two', () => {
  const count = 2 * BULK_JOBS_PER_ENTRY + 50
  for (let slices = 0; slices <= 3; slices += 1) {
    for (const isWritten of [false, true]) {
      const ledger = new LedgerHarness()
      const ids = waitingJobs(ledger, count)
      for (let slice = 0; slice < slices; slice += 1) act(ledger, {})
      if (isWritten) ledger.flush()
      ledger.crash()
      const ended = actOnAll(ledger, {}).at(-1)
      assert.deepEqual(ended, { done: count, skipped: 0, failed: 0, ended: true })
      assert.deepEqual(statusesOf(ledger, ids), ['cancelled'])
      const cancels = ids.map(
        (id) => ledger.history(id).filter(({ type }) => type === 'job_ended').length,
      )
      assert.deepEqual([...new Set(cancels)], [1])
      checkRows(ledger.rows)
    }
  }
})

test('a job that was retried and fails again is not retried again by the same action', () => {
  const ledger = new LedgerHarness()
  waitingJobs(ledger, BULK_JOBS_PER_ENTRY + 1)
  ledger.now += 1
  const id = ledger.submit(planOf({ main: { service: 'other', retry: ONCE } }))
  ledger.fail('main')
  const retry = { action: 'retry', filter: ALL } as const
  const first = act(ledger, retry)
  assert.deepEqual([first.done, first.ended], [1, false])
  ledger.apply({ kind: 'start' }, { other: 1 })
  ledger.fail('main')
  assert.equal(ledger.job(id).status, 'failed')
  const last = actOnAll(ledger, retry).at(-1)
  assert.deepEqual([last?.done, last?.skipped], [1, BULK_JOBS_PER_ENTRY + 1])
  assert.equal(ledger.job(id)['run'], 2)
  actOnAll(ledger, { ...retry, bulk: 'c'.repeat(32) })
  assert.equal(ledger.job(id)['run'], 3, 'another action retries it once more')
})

test('only jobs that match are met: by status, name, label and time together', () => {
  const ledger = new LedgerHarness()
  const [red] = waitingJobs(ledger, 1, { labels: { team: 'red' } })
  const [blue] = waitingJobs(ledger, 1, { labels: { team: 'blue' } })
  const since = ledger.now
  const [late] = waitingJobs(ledger, 1, { labels: { team: 'red' } })
  assert.ok(red && blue && late)
  const labels = { team: 'red' }
  const none = actOnAll(ledger, { bulk: '1'.repeat(32), filter: { labels, status: 'running' } })
  assert.deepEqual(none, [{ done: 0, skipped: 0, failed: 0, ended: true }])
  actOnAll(ledger, { bulk: '2'.repeat(32), filter: { labels, createdAfter: since + 1 } })
  assert.deepEqual(statusesOf(ledger, [red, blue]), ['queued'])
  assert.deepEqual(statusesOf(ledger, [late]), ['cancelled'])
  actOnAll(ledger, { bulk: '3'.repeat(32), filter: { labels } })
  assert.deepEqual(statusesOf(ledger, [red]), ['cancelled'])
  assert.deepEqual(statusesOf(ledger, [blue]), ['queued'])
})

test('jobs that came after its first slice are left alone, and so is its own job', () => {
  const ledger = new LedgerHarness()
  const own = ledger.submit(PLAN)
  waitingJobs(ledger, BULK_JOBS_PER_ENTRY + 1)
  ledger.now += 1
  act(ledger, { bulk: own })
  const later = waitingJobs(ledger, 3)
  const last = actOnAll(ledger, { bulk: own }).at(-1)
  assert.equal(last?.done, BULK_JOBS_PER_ENTRY + 1)
  assert.deepEqual(statusesOf(ledger, later), ['queued'])
  assert.equal(ledger.job(own).status, 'running')
})

test('jobs that are heavy make a slice short', () => {
  const ledger = new LedgerHarness()
  const each = { forEach: { items: { range: BULK_WEIGHT_PER_ENTRY }, concurrency: 1000 } }
  const heavy = [1, 2, 3].map(() => {
    ledger.now += 1
    return ledger.submit(planOf({ each }))
  })
  const first = act(ledger, {})
  assert.deepEqual([first.done, first.ended], [1, false])
  const slices = actOnAll(ledger, {})
  assert.equal(slices.at(-1)?.done, heavy.length)
})

test('deleted are those that have ended for good; the others are counted as skipped and stay', () => {
  const ledger = new LedgerHarness()
  const ended = waitingJobs(ledger, 3)
  for (const id of ended) ledger.apply({ kind: 'cancel', id, compensate: false })
  const open = waitingJobs(ledger, 2)
  const last = actOnAll(ledger, { action: 'delete' }).at(-1)
  assert.deepEqual(last, { done: 3, skipped: 2, failed: 0, ended: true })
  assert.deepEqual(
    ledger.rows.scan('x/', 'x~', 10).map(({ key }) => key.slice(-32)),
    open,
  )
  checkRows(ledger.rows)
})

test('what is remembered of an action goes thirty days after it has begun', () => {
  const ledger = new LedgerHarness()
  act(ledger, {})
  assert.notEqual(ledger.rows.get(`a/${BULK}`), undefined)
  ledger.pass(BULK_KEPT_MS)
  assert.equal(ledger.rows.get(`a/${BULK}`), undefined)
  assert.deepEqual(ledger.rows.scan('q/', 'q~', 10), [])
})
