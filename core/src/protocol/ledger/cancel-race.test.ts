import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'

/**
 * Cancel, completion and timeout race: the log decides. Every order of the events below is played on
 * a job of one step with a hook, and its end compared with a few dumb rules.
 */

const PLAN = planOf({ a: { compensate: true, timeoutMs: 100, retry: retry(2, { delayMs: 0 }) } })

/** What may happen, each at most once in a play. `report…` is the first attempt's own end. */
type Event = 'cancel' | 'cancel-undo' | 'timeout' | 'report-done' | 'report-failed' | 'crash'

const EVENTS: readonly Event[] = [
  'cancel',
  'cancel-undo',
  'timeout',
  'report-done',
  'report-failed',
  'crash',
]

test('F38, cancel race: cancel × complete × timeout × crash, any of six in every order, ends as the log says', () => {
  let plays = 0
  for (const set of choices(EVENTS)) {
    for (const events of orders(set)) {
      play(events)
      plays += 1
    }
  }
  assert.equal(plays, 1 + 6 + 30 + 120 + 360 + 720 + 720)
})

/** What the rules of the table need to know of a play so far. */
interface Seen {
  cancelled: boolean
  undo: boolean
  /** First attempt: how it ended, as the ledger must see it. */
  first: 'running' | 'done' | 'failed' | 'timed_out' | 'lost' | 'cancelled'
  timedOut: boolean
  /** The job had ended before the cancel came. */
  endedBefore: boolean
}

function play(events: readonly Event[]): void {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  const attempt = ledger.attemptOf('a')
  const seen: Seen = {
    cancelled: false,
    undo: false,
    first: 'running',
    timedOut: false,
    endedBefore: false,
  }
  for (const event of events) happen(ledger, { id, attempt, event, seen })
  const story = events.join(', ')
  settleRest(ledger)
  const job = ledger.job(id)
  assert.equal(ledger.running.size, 0, story)
  assert.equal(job.status, expectedStatus(seen), `${story}: ${JSON.stringify(seen)}`)
  const undone = ledger.step(id, 'a').compensation?.status ?? 'none'
  assert.equal(undone, job.status === 'compensated' ? 'succeeded' : 'none', story)
}

interface Happening {
  readonly id: string
  readonly attempt: string
  readonly event: Event
  readonly seen: Seen
}

function happen(ledger: LedgerHarness, { id, attempt, event, seen }: Happening): void {
  switch (event) {
    case 'cancel':
    case 'cancel-undo':
      return cancel(ledger, id, event, seen)
    case 'timeout':
      ledger.pass(100)
      if (seen.first === 'running' && !seen.cancelled) seen.timedOut = true
      return
    case 'report-done':
      ledger.end(attempt, { kind: 'succeeded', output: 1 })
      if (seen.first === 'running') seen.first = seen.timedOut ? 'timed_out' : 'done'
      return
    case 'report-failed':
      ledger.end(attempt, failed(false))
      if (seen.first === 'running') seen.first = seen.timedOut ? 'timed_out' : 'failed'
      return
    case 'crash':
      ledger.crash()
      ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot })
      if (seen.first === 'running') seen.first = seen.timedOut ? 'timed_out' : 'lost'
  }
}

function cancel(ledger: LedgerHarness, id: string, event: Event, seen: Seen): void {
  const compensate = event === 'cancel-undo'
  const reply = ledger.apply({ kind: 'cancel', id, compensate }, { 'undo.a': 1 })
  if (reply.ok) {
    seen.cancelled = true
    if (compensate) seen.undo = true
  } else if (!seen.cancelled) seen.endedBefore = true
}

/** The table of core/docs/protocol/ledger.md, in the words of this play. */
function expectedStatus({ cancelled, undo, first, endedBefore }: Seen): string {
  if (endedBefore || !cancelled) return first === 'failed' ? 'failed' : 'succeeded'
  return undo ? 'compensated' : 'cancelled'
}

/** Ends whatever still runs, with success, until nothing runs and no timer is left. */
function settleRest(ledger: LedgerHarness): void {
  for (let round = 0; round < 20; round += 1) {
    ledger.start()
    for (const attempt of [...ledger.running.keys()]) {
      ledger.end(attempt, { kind: 'succeeded', output: 1 })
    }
    ledger.pass(2000)
  }
}

/** Every choice of some, all or none of them. */
function choices<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((sets, item) => [...sets, ...sets.map((set) => [...set, item])], [[]])
}

function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [position, item] of items.entries()) {
    const others = items.filter((_, other) => other !== position)
    for (const rest of orders(others)) yield [item, ...rest]
  }
}

test('a cancel is answered alike while the job is being cancelled, and may raise compensate', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  for (const compensate of [false, true, false]) {
    const reply = ledger.apply({ kind: 'cancel', id, compensate })
    assert.equal(reply.ok && reply.result, 'accepted')
    assert.equal(ledger.job(id).status, 'cancelling')
  }
  ledger.end(ledger.attemptOf('a'), { kind: 'succeeded', output: 1 })
  assert.equal(ledger.job(id).status, 'compensating')
  const refused = ledger.apply({ kind: 'cancel', id, compensate: true })
  assert.equal(!refused.ok && refused.code, 'job_compensating')
})

test('a cancelled job that never started anything ends at once and undoes nothing', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN, { slots: {} })
  ledger.apply({ kind: 'cancel', id, compensate: true })
  const job = ledger.job(id)
  assert.equal(job.status, 'cancelled')
  assert.equal(job.steps[0]?.status, 'skipped')
  assert.deepEqual(ledger.ready, {})
  const refused = ledger.apply({ kind: 'cancel', id, compensate: true })
  assert.equal(!refused.ok && refused.code, 'job_finished')
})

test('a clean failure reported after the cancel was asked for is undone: it may be one half-way', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.apply({ kind: 'cancel', id, compensate: true })
  ledger.fail('a')
  assert.equal(ledger.job(id).status, 'compensating')
})

test('a step that waits for its next attempt is given up by a cancel, its timer with it', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: { retry: retry(3, { delayMs: 5000 }) } }))
  ledger.fail('a')
  ledger.apply({ kind: 'cancel', id, compensate: false })
  assert.equal(ledger.job(id).status, 'cancelled')
  assert.deepEqual(ledger.rows.scan('t/', 't0', 10), [])
})
