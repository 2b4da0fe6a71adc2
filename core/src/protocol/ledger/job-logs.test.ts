import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from './command.js'
import { parseAttemptId } from './attempt-id.js'
import { JOB_LOG_BYTES_MAX } from './limits.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'

const AT = 1_700_000_000_123

function line(message: string): LogLine {
  return { at: AT, level: 'info', message }
}

/** Ends the running attempt of a step, with what it logged. */
function end(ledger: LedgerHarness, name: string, logs?: readonly LogLine[]) {
  const attempt = ledger.attemptOf(name)
  const ref = parseAttemptId(attempt)
  assert.ok(ref)
  ledger.running.delete(attempt)
  const outcome = { kind: 'succeeded', output: null } as const
  const more = logs === undefined ? {} : { logs }
  return ledger.apply({ kind: 'finish-attempt', attempt: ref, outcome, ...more }, { work: 1 })
}

function logsOf(ledger: LedgerHarness, id: string, more: { step?: string; after?: number } = {}) {
  const reply = ledger.query({ kind: 'logs', id, after: 0, limit: 100_000, ...more })
  assert.ok(reply.ok)
  const page: { items: { seq: number; message: string; step: string }[]; dropped: number } =
    JSON.parse(reply.body ?? '')
  return page
}

test('what a handler logged is there once its report counted, with step, attempt and time', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {}, b: { needs: ['a'] } }))
  end(ledger, 'a', [line('one'), { ...line('two'), fields: { n: 1 } }])
  end(ledger, 'b', [line('three')])
  const at = '2023-11-14T22:13:20.123Z'
  assert.deepEqual(logsOf(ledger, id), {
    items: [
      { seq: 1, at, level: 'info', message: 'one', step: 'a', attempt: 1 },
      { seq: 2, at, level: 'info', message: 'two', step: 'a', attempt: 1, fields: { n: 1 } },
      { seq: 3, at, level: 'info', message: 'three', step: 'b', attempt: 1 },
    ],
    dropped: 0,
    more: false,
  })
  assert.deepEqual(
    logsOf(ledger, id, { step: 'b' }).items.map(({ message }) => message),
    ['three'],
  )
  assert.deepEqual(
    logsOf(ledger, id, { after: 1 }).items.map(({ seq }) => seq),
    [2, 3],
  )
})

test('a report without logs, as older versions wrote it, is taken as ever', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  assert.equal(end(ledger, 'a').ok, true)
  assert.deepEqual(logsOf(ledger, id), { items: [], dropped: 0, more: false })
})

test('the log of a stale report is discarded with it', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  const ref = parseAttemptId(ledger.attemptOf('a'))
  assert.ok(ref)
  end(ledger, 'a', [line('counts')])
  const outcome = { kind: 'timed_out' } as const
  ledger.apply({ kind: 'finish-attempt', attempt: ref, outcome, logs: [line('stale')] })
  assert.deepEqual(
    logsOf(ledger, id).items.map(({ message }) => message),
    ['counts'],
  )
})

/** What the running attempt of a step tells before its end. */
function note(ledger: LedgerHarness, name: string, news: object) {
  const attempt = parseAttemptId(ledger.attemptOf(name))
  assert.ok(attempt)
  return ledger.apply({ kind: 'note-attempt', attempt, ...news })
}

test('what a running attempt tells is there before its end, and its lines are kept once', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  note(ledger, 'a', { logs: [line('one')], progress: { at: AT, done: 2, total: 8, note: 'x' } })
  assert.equal(ledger.job(id).status, 'running')
  assert.deepEqual(ledger.job(id)['progress'], { done: 2, total: 8 })
  const [attempt] = ledger.step(id, 'a').attempts
  const at = '2023-11-14T22:13:20.123Z'
  assert.deepEqual(attempt?.['progress'], { at, done: 2, total: 8, note: 'x' })
  note(ledger, 'a', { logs: [line('two')] })
  end(ledger, 'a', [line('three')])
  const messages = logsOf(ledger, id).items.map(({ seq, message }) => [seq, message])
  assert.deepEqual(messages, [
    [1, 'one'],
    [2, 'two'],
    [3, 'three'],
  ])
  assert.deepEqual(ledger.job(id)['progress'], { done: 8, total: 8 })
})

test('a job of several steps counts them, whatever a handler says of itself', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {}, b: { needs: ['a'] } }))
  note(ledger, 'a', { progress: { at: AT, done: 2, total: 8 } })
  assert.deepEqual(ledger.job(id)['progress'], { done: 0, total: 2 })
})

test('the note of an attempt that has ended is discarded', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  const attempt = parseAttemptId(ledger.attemptOf('a'))
  assert.ok(attempt)
  end(ledger, 'a')
  const reply = ledger.apply({ kind: 'note-attempt', attempt, logs: [line('late')] })
  assert.equal(!reply.ok && reply.code, 'attempt_fenced')
  assert.deepEqual(logsOf(ledger, id).items, [])
})

test('who follows a job is told of notes that are new to them, if they asked for notes', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  const after = ledger.history(id).length
  const follow = { kind: 'follow-job', id, after, limit: 10 } as const
  const told = (request: number) =>
    ledger.said.some((message) => message.kind === 'reply' && message.request === request)
  const first = ledger.ask({ ...follow, notes: 0 })
  assert.equal(told(first), false)
  note(ledger, 'a', { logs: [line('x')], progress: { at: AT, done: 1 } })
  assert.equal(told(first), true)
  const reply = ledger.query({ ...follow, notes: 0 })
  const { items, notes, activity } = JSON.parse((reply.ok && reply.body) || '')
  assert.deepEqual([items, notes, activity.logLines], [[], 1, 1])
  assert.deepEqual(activity.steps, [
    { name: 'a', attempt: 1, progress: { at: '2023-11-14T22:13:20.123Z', done: 1, total: null } },
  ])
  assert.equal(told(ledger.ask({ ...follow, notes: 1 })), false)
  const old = ledger.ask(follow)
  assert.equal(told(old), false)
})

test('a job keeps the newest 64 KiB of its log, and says how many lines made room', () => {
  const ledger = new LedgerHarness()
  const steps = { a: {}, b: { needs: ['a'] }, c: { needs: ['b'] }, d: { needs: ['c'] } }
  const id = ledger.submit(planOf(steps))
  const third = 'ü'.repeat(JOB_LOG_BYTES_MAX / 6)
  for (const name of ['a', 'b', 'c']) end(ledger, name, [line(`${name}${third}`)])
  const kept = logsOf(ledger, id)
  assert.deepEqual(
    kept.items.map(({ seq, step: of }) => [seq, of]),
    [
      [2, 'b'],
      [3, 'c'],
    ],
  )
  assert.equal(kept.dropped, 1)
  end(ledger, 'd', [line('too long'), line('x'.repeat(JOB_LOG_BYTES_MAX))])
  const after = logsOf(ledger, id)
  assert.deepEqual([after.items.length, after.dropped], [2, 3])
})

/** Numbered lines of some 100 bytes each. */
function lines(from: number, to: number): LogLine[] {
  return Array.from({ length: to - from + 1 }, (_, place) =>
    line(`${from + place} `.padEnd(60, 'x')),
  )
}

test('of a report that brings too much the newest lines stay, of older ones as many as there is room for', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  note(ledger, 'a', { logs: lines(1, 2_000) })
  note(ledger, 'a', { logs: lines(2_001, 2_001) })
  const { items, dropped } = logsOf(ledger, id)
  const bytes = Buffer.byteLength(JSON.stringify(lines(dropped + 1, 2_001)))
  assert.ok(bytes <= JOB_LOG_BYTES_MAX && bytes > JOB_LOG_BYTES_MAX - 300, `${bytes} bytes`)
  assert.deepEqual([items[0]?.seq, items.at(-1)?.seq], [dropped + 1, 2_001])
  for (const { seq, message } of items) assert.ok(message.startsWith(`${seq} `), message)
  assert.equal(items.length + dropped, 2_001)
})

test('lines that were dropped on their way are counted, and those behind them keep their numbers', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {} }))
  note(ledger, 'a', { logs: lines(1, 2) })
  note(ledger, 'a', { logs: lines(6, 7), logsDropped: 3 })
  end(ledger, 'a', lines(8, 8))
  const { items, dropped } = logsOf(ledger, id)
  assert.deepEqual([items.map(({ seq }) => seq), dropped], [[1, 2, 6, 7, 8], 3])
  for (const { seq, message } of items) assert.ok(message.startsWith(`${seq} `), message)
})
