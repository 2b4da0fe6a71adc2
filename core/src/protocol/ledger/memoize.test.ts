import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@gyre/jobs'
import type { Dispatch } from '../node/messages.js'
import type { KeepMemoCommand } from './command.js'
import { MEMO_BYTES_MAX, MEMOS_REMOVED_MAX } from './limits.js'
import { keys, type MemoSumRow } from './rows-layout.js'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf, type StepSketch } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const HOUR = 3_600_000
const MEMO = { forMs: HOUR, version: '1.0.0' }

/** Submits a memoised job with this input. @returns its only attempt */
function begin(ledger: LedgerHarness, input: Json, sketch: StepSketch = {}): Dispatch {
  const step = { memoize: MEMO, input: { $from: '/input' }, ...sketch }
  const id = ledger.submit(planOf({ main: step }), { input })
  const dispatch = [...ledger.running.values()].find(({ job }) => job === id)
  assert.ok(dispatch, 'the step runs')
  return dispatch
}

/** Reports a success as the engine does, and lets what is to be kept be kept. @returns what was */
function succeed(ledger: LedgerHarness, { attempt, memo }: Dispatch, output: Json): unknown[] {
  const [job = '', run, step = '', index, , number] = attempt.split('.')
  const at = index === '-' ? null : Number(index)
  const ref = { job, run: Number(run), step, index: at, attempt: Number(number) }
  ledger.running.delete(attempt)
  ledger.apply({
    kind: 'finish-attempt',
    attempt: { ...ref, hook: 'run' },
    outcome: { kind: 'succeeded', output },
    ...(memo === undefined ? {} : { memo: memo.key }),
  })
  return keepAll(ledger)
}

function keepAll(ledger: LedgerHarness): unknown[] {
  const kept: KeepMemoCommand[] = ledger.said.flatMap((message) =>
    message.kind === 'keep-memo' ? [JSON.parse(message.body)] : [],
  )
  for (const command of kept) ledger.apply(command)
  return kept
}

function recalledOf(dispatch: Dispatch): Json {
  return dispatch.recalled === undefined ? null : JSON.parse(dispatch.recalled)
}

test('what a memoised task gave is recalled for the same work in another job', () => {
  const ledger = new LedgerHarness()
  const first = begin(ledger, { a: 1, b: [2] })
  assert.equal(first.recalled, undefined)
  succeed(ledger, first, 'out')
  const second = begin(ledger, { b: [2], a: 1 })
  const outcome = { kind: 'succeeded', output: 'out', memoizedFrom: first.job } as const
  assert.deepEqual(recalledOf(second), outcome)
  ledger.end(second.attempt, outcome)
  const job = ledger.job(second.job)
  assert.deepEqual([job.status, job['output']], ['succeeded', 'out'])
  assert.equal(ledger.step(second.job, 'main').attempts[0]?.['memoizedFrom'], first.job)
  const told = ledger.history(second.job).find(({ type }) => type === 'memoized')
  assert.equal(told?.source, first.job)
})

test('another input, service or version is other work', () => {
  const ledger = new LedgerHarness()
  succeed(ledger, begin(ledger, 1), 'out')
  assert.equal(recalledOf(begin(ledger, 2)), null)
  assert.equal(recalledOf(begin(ledger, '1')), null)
  assert.equal(recalledOf(begin(ledger, 1, { service: 'other' })), null)
  const version = { memoize: { ...MEMO, version: '1.0.1' } }
  assert.equal(recalledOf(begin(ledger, 1, version)), null)
  assert.notEqual(recalledOf(begin(ledger, 1)), null)
})

test('a step that is not memoised recalls nothing and leaves nothing', () => {
  const ledger = new LedgerHarness()
  succeed(ledger, begin(ledger, 1), 'out')
  const id = ledger.submit(planOf({ main: { input: 1 } }))
  const [plain] = [...ledger.running.values()].filter(({ job }) => job === id)
  assert.deepEqual([plain?.memo, plain?.recalled], [undefined, undefined])
})

test('a result is recalled until its time is over, counted from when it was kept', () => {
  const ledger = new LedgerHarness()
  const first = begin(ledger, 1)
  ledger.now += HOUR / 60_000
  succeed(ledger, first, 'out')
  ledger.now += HOUR - 1
  assert.notEqual(recalledOf(begin(ledger, 1)), null)
  ledger.now += 1
  assert.equal(recalledOf(begin(ledger, 1)), null)
})

test('a failure is not kept, and neither is a success that came too late', () => {
  const ledger = new LedgerHarness()
  const broken = begin(ledger, 1, { retry: ONCE })
  ledger.end(broken.attempt, failed(false))
  assert.deepEqual(keepAll(ledger), [])
  const late = begin(ledger, 2, { timeoutMs: 1000, retry: ONCE })
  ledger.pass(1000)
  assert.deepEqual(succeed(ledger, late, 'out'), [])
  assert.equal(recalledOf(begin(ledger, 2)), null)
})

test('what ran under another version than was planned is not kept: its report names no key', () => {
  const ledger = new LedgerHarness()
  const { memo: _, ...unnamed } = begin(ledger, 1)
  assert.deepEqual(succeed(ledger, unnamed, 'out'), [])
})

test('a recalled result is not kept anew, so that it does not outlive its time', () => {
  const ledger = new LedgerHarness()
  succeed(ledger, begin(ledger, 1), 'out')
  const second = begin(ledger, 1)
  const outcome = JSON.parse(second.recalled ?? '')
  const [job = '', , step = ''] = second.attempt.split('.')
  const attempt = { job, run: 1, step, index: null, hook: 'run', attempt: 1 } as const
  ledger.apply({ kind: 'finish-attempt', attempt, outcome, memo: second.memo?.key ?? '' })
  assert.deepEqual(keepAll(ledger), [])
})

test('of two that ran side by side the first result stays, for everybody the same', () => {
  const ledger = new LedgerHarness()
  const first = begin(ledger, 1)
  const second = begin(ledger, 1)
  succeed(ledger, first, 'one')
  succeed(ledger, second, 'two')
  assert.equal(JSON.stringify(recalledOf(begin(ledger, 1))).includes('"one"'), true)
})

test('items of a forEach are memoised one by one', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: ['x', 'y', 'x'], concurrency: 1 }
  const id = ledger.submit(planOf({ each: { memoize: MEMO, forEach, input: { $from: '/item' } } }))
  const next = (): Dispatch => {
    const [dispatch] = ledger.running.values()
    assert.ok(dispatch)
    return dispatch
  }
  succeed(ledger, next(), 'X')
  ledger.start()
  assert.equal(next().recalled, undefined)
  succeed(ledger, next(), 'Y')
  ledger.start()
  const outcome = { kind: 'succeeded', output: 'X', memoizedFrom: id }
  assert.deepEqual(recalledOf(next()), outcome)
})

test('memos stay under their bound: the one that expires next makes room', () => {
  const ledger = new LedgerHarness()
  const output = 'x'.repeat(MEMO_BYTES_MAX / 8 - 2)
  for (let input = 0; input < 9; input += 1) {
    succeed(ledger, begin(ledger, input), output)
    ledger.now += 1
  }
  const known = Array.from({ length: 9 }, (_, input) => recalledOf(begin(ledger, input)) !== null)
  assert.deepEqual(known, [false, ...Array.from({ length: 8 }, () => true)])
  assert.equal(ledger.rows.get<MemoSumRow>(keys.memoSum)?.bytes, MEMO_BYTES_MAX)
})

test('what has expired is removed when something new is kept', () => {
  const ledger = new LedgerHarness()
  for (const input of [1, 2]) succeed(ledger, begin(ledger, input), 'out')
  ledger.now += HOUR
  succeed(ledger, begin(ledger, 3), 'out')
  assert.equal(ledger.rows.scan('m/', 'm0', 10).length, 1)
  assert.equal(ledger.rows.scan('w/', 'w0', 10).length, 1)
  assert.equal(ledger.rows.get<MemoSumRow>(keys.memoSum)?.bytes, 5)
})

test('a memo outlives the job that made it, and a restart of the node', () => {
  const ledger = new LedgerHarness()
  const first = begin(ledger, 1)
  succeed(ledger, first, 'out')
  ledger.apply({ kind: 'delete-job', id: first.job })
  ledger.crash()
  assert.notEqual(recalledOf(begin(ledger, 1)), null)
  checkRows(ledger.rows)
})

test('a replay asks for nothing to be kept anew', () => {
  const ledger = new LedgerHarness()
  assert.equal(succeed(ledger, begin(ledger, 1), 'out').length, 1)
  ledger.entries.pop()
  ledger.crash()
  assert.deepEqual(keepAll(ledger), [])
})

test('a memo that has expired and is still there is replaced', () => {
  const ledger = new LedgerHarness()
  for (let input = 0; input <= MEMOS_REMOVED_MAX + 1; input += 1) {
    succeed(ledger, begin(ledger, input), 'old')
    ledger.now += 1
  }
  ledger.now += HOUR
  const last = MEMOS_REMOVED_MAX + 1
  succeed(ledger, begin(ledger, last), 'new')
  checkRows(ledger.rows)
  assert.equal(JSON.stringify(recalledOf(begin(ledger, last))).includes('"new"'), true)
})
