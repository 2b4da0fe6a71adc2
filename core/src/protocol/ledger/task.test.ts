import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptOutcome } from './command.js'
import {
  assertMayBecome,
  type AttemptRow,
  ended,
  newTask,
  settle,
  started,
  stopped,
  type StopReason,
  type TaskState,
} from './task.js'
import { failed } from './testing/ledger-harness.js'
import { retry } from './testing/plans.js'

const attempt: AttemptRow = {
  attempt: 1,
  node: 'n',
  boot: 1,
  fence: 9,
  startedAt: 0,
  finishedAt: null,
  outcome: null,
  error: null,
}

function running(stopping: StopReason | null): TaskState {
  const leased = started(newTask(0), attempt, 100)
  return stopping === null ? leased : stopped(leased, stopping)
}

const SUCCEEDED: AttemptOutcome = { kind: 'succeeded', output: 1 }
const LOST: AttemptOutcome = { kind: 'lost', charged: true }
const HANDED_BACK: AttemptOutcome = { kind: 'lost', charged: false }
const NOT_STARTED: AttemptOutcome = { kind: 'not_started' }
const TIMED_OUT: AttemptOutcome = { kind: 'timed_out' }
const CANCELLED: AttemptOutcome = { kind: 'cancelled' }
const ERROR = { code: 'memory_exceeded', message: 'too much', retryable: true }
const CUT_OFF: AttemptOutcome = { kind: 'failed', error: ERROR, unknown: true }

/** [asked to stop because, report, may be tried again, attempts allowed] → [outcome, phase, unknown] */
const TABLE: readonly (readonly [
  StopReason | null,
  AttemptOutcome,
  boolean,
  number,
  readonly [string, string, boolean],
])[] = [
  [null, SUCCEEDED, true, 2, ['succeeded', 'succeeded', false]],
  [null, failed(true), true, 2, ['failed', 'backoff', false]],
  [null, failed(true), true, 1, ['failed', 'failed', false]],
  [null, failed(false), true, 2, ['failed', 'failed', false]],
  [null, CUT_OFF, true, 2, ['failed', 'backoff', true]],
  [null, CUT_OFF, true, 1, ['failed', 'failed', true]],
  [null, TIMED_OUT, true, 2, ['timed_out', 'backoff', true]],
  [null, TIMED_OUT, true, 1, ['timed_out', 'failed', true]],
  [null, LOST, true, 2, ['lost', 'backoff', true]],
  [null, LOST, true, 1, ['lost', 'failed', true]],
  [null, HANDED_BACK, true, 2, ['lost', 'ready', true]],
  [null, HANDED_BACK, true, 1, ['lost', 'failed', true]],
  [null, NOT_STARTED, true, 2, ['not_started', 'ready', false]],
  [null, NOT_STARTED, true, 1, ['not_started', 'ready', false]],
  [null, CANCELLED, true, 2, ['cancelled', 'backoff', true]],
  ['timed_out', SUCCEEDED, true, 2, ['timed_out', 'backoff', true]],
  ['timed_out', failed(false), true, 2, ['timed_out', 'backoff', true]],
  ['timed_out', LOST, true, 2, ['timed_out', 'backoff', true]],
  ['timed_out', NOT_STARTED, true, 1, ['not_started', 'ready', false]],
  ['timed_out', SUCCEEDED, false, 2, ['timed_out', 'failed', true]],
  ['cancelled', SUCCEEDED, false, 2, ['succeeded', 'succeeded', false]],
  ['cancelled', CANCELLED, false, 2, ['cancelled', 'cancelled', true]],
  ['cancelled', failed(true), false, 2, ['failed', 'failed', true]],
  ['cancelled', LOST, false, 2, ['lost', 'failed', true]],
  ['cancelled', NOT_STARTED, false, 1, ['not_started', 'cancelled', false]],
]

test('what a report makes of a task follows the table', () => {
  for (const [stopping, report, mayRetry, attempts, expected] of TABLE) {
    const task = running(stopping)
    const end = settle(task, report)
    const after = ended(task, end, { at: 5, policy: retry(attempts), mayRetry })
    const seen = [end.outcome, after.phase, after.unknown]
    const told = `${stopping} ${JSON.stringify(report)} retry ${mayRetry} of ${attempts}`
    assert.deepEqual(seen, expected, told)
  }
})

test('a task whose only allowed attempt was lost fails as unknown, not as lost', () => {
  const after = ended(running(null), settle(running(null), LOST), {
    at: 5,
    policy: retry(1),
    mayRetry: true,
  })
  assert.equal(after.error?.code, 'attempt_unknown')
  assert.equal(after.newest?.error?.code, 'attempt_lost')
})

test('a success forgets that earlier attempts left the task unknown; a clean failure and an attempt that never ran do not', () => {
  const lost: TaskState = { ...running(null), unknown: true }
  const options = { at: 5, policy: retry(3), mayRetry: true }
  assert.equal(ended(lost, settle(lost, SUCCEEDED), options).unknown, false)
  assert.equal(ended(lost, settle(lost, failed(true)), options).unknown, true)
  assert.equal(ended(lost, settle(lost, NOT_STARTED), options).unknown, true)
})

test('lost attempts do not use up the tries of the policy, failed and timed out ones do', () => {
  const options = { at: 5, policy: retry(9), mayRetry: true }
  const count = (report: AttemptOutcome): readonly number[] => {
    const { tries, losses } = ended(running(null), settle(running(null), report), options)
    return [tries, losses]
  }
  assert.deepEqual(count(failed(true)), [1, 0])
  assert.deepEqual(count(TIMED_OUT), [1, 0])
  assert.deepEqual(count(LOST), [0, 1])
  assert.deepEqual(count(HANDED_BACK), [0, 0])
  assert.deepEqual(count(NOT_STARTED), [0, 0])
})

test('a task that has succeeded becomes nothing else', () => {
  assert.throws(() => assertMayBecome('succeeded', 'ready'), /cannot become/)
  assert.throws(() => assertMayBecome('backoff', 'leased'), /cannot become/)
})
