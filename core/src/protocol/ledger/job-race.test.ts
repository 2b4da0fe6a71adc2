import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFinal } from './job-status.js'
import type { JobStatus } from '../../base/job-statuses.js'
import { checkStory } from './testing/history-oracle.js'
import { failed, LedgerHarness } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

/**
 * What may happen to a job at the same time, in every order of six: cancel, the attempt's and the
 * job's timeout, `startBy`, reports, a crash, and what operators do. After each event the rows must
 * agree with each other; at the end the timeline is judged by itself, and by the rules below, which
 * know the order of events and nothing of the ledger.
 */

const PLAN = planOf({
  a: { compensate: true, timeoutMs: 100, retry: retry(2, { delayMs: 0 }) },
})

type Event =
  | 'cancel'
  | 'timeout'
  | 'job-timeout'
  | 'start-by'
  | 'start'
  | 'report'
  | 'report-failed'
  | 'crash'
  | 'retry'
  | 'skip'
  | 'fail'
  | 'undo-fails'

class Race {
  readonly ledger = new LedgerHarness()
  readonly id: string
  /** Events that the ledger has accepted or taken note of, in their order. */
  readonly accepted: Event[] = []
  /** The run's first attempt and the first undoing: they report once, whenever that is. */
  readonly #first = new Map<'run' | 'compensate', string>()

  constructor(options: Parameters<LedgerHarness['submit']>[1]) {
    this.id = this.ledger.submit(PLAN, options)
    this.#noteFirst()
  }

  happen(event: Event): void {
    if (this.#isAccepted(event)) this.accepted.push(event)
    this.#noteFirst()
    checkRows(this.ledger.rows)
  }

  #isAccepted(event: Event): boolean {
    const { ledger, id } = this
    const slots = { work: 1, 'undo.a': 1 }
    switch (event) {
      case 'cancel':
        return ledger.apply({ kind: 'cancel', id, compensate: true }, slots).ok
      case 'retry':
        return ledger.apply({ kind: 'retry', id }, slots).ok
      case 'skip':
        return ledger.apply({ kind: 'skip', id, step: 'a', reason: 'by hand' }, slots).ok
      case 'fail':
        return ledger.apply({ kind: 'fail', id, reason: 'by hand' }, slots).ok
      case 'timeout':
        return ledger.pass(100).ok
      case 'start-by':
        return ledger.pass(50, {}).ok
      case 'job-timeout':
        return ledger.pass(1000).ok
      case 'start':
        return ledger.apply({ kind: 'start' }, slots).ok
      case 'report':
        return this.#report('run', { kind: 'succeeded', output: 1 })
      case 'report-failed':
        return this.#report('run', failed(false))
      case 'undo-fails':
        return this.#report('compensate', failed(false))
      case 'crash':
        ledger.crash()
        return ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot }).ok
    }
  }

  #report(hook: 'run' | 'compensate', outcome: Parameters<LedgerHarness['end']>[1]): boolean {
    const attempt = this.#first.get(hook)
    return attempt !== undefined && this.ledger.end(attempt, outcome).ok
  }

  #noteFirst(): void {
    for (const { attempt, hook, service } of this.ledger.running.values()) {
      const kind = hook === 'compensate' || service === 'undo.a' ? 'compensate' : 'run'
      if (!this.#first.has(kind)) this.#first.set(kind, attempt)
    }
  }

  /** Whatever still runs succeeds. @returns how the job has ended */
  settle(): string {
    const { ledger, id } = this
    for (let round = 0; round < 20; round += 1) {
      ledger.start()
      for (const attempt of [...ledger.running.keys()]) {
        ledger.end(attempt, { kind: 'succeeded', output: 1 })
      }
      ledger.pass(2000)
    }
    checkRows(ledger.rows)
    const { status } = ledger.job(id)
    assert.ok(isFinal(status as JobStatus), `it is ${status}`)
    assert.equal(ledger.running.size, 0)
    checkStory(PLAN, ledger.history(id), status)
    return status
  }
}

type Judge = (
  accepted: readonly Event[],
  status: string,
  job: Readonly<Record<string, unknown>>,
) => void

/** @returns how many orders were played */
function playAll(
  events: readonly Event[],
  options: Parameters<LedgerHarness['submit']>[1],
  prelude: readonly Event[],
  judge: Judge,
): number {
  let plays = 0
  for (const order of orders(events)) {
    const race = new Race(options)
    try {
      for (const event of [...prelude, ...order]) race.happen(event)
      const status = race.settle()
      judge(race.accepted, status, race.ledger.job(race.id))
    } catch (error) {
      throw new Error(`${order.join(', ')}: ${String(error)}`, { cause: error })
    }
    plays += 1
  }
  return plays
}

function* orders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield []
  for (const [position, item] of items.entries()) {
    const others = items.filter((_, other) => other !== position)
    for (const rest of orders(others)) yield [item, ...rest]
  }
}

/** True when `event` is there, and none of the others before it. */
function isFirst(accepted: readonly Event[], event: Event, others: readonly Event[]): boolean {
  const found = accepted.find((one) => one === event || others.includes(one))
  return found === event
}

test('cancel × report × attempt timeout × job timeout × crash × retry: every order of six', () => {
  const events: Event[] = ['cancel', 'report', 'timeout', 'job-timeout', 'crash', 'retry']
  const plays = playAll(events, { timeoutMs: 1000 }, [], (accepted, status, job) => {
    if (isFirst(accepted, 'report', ['cancel', 'timeout', 'job-timeout', 'crash'])) {
      assert.equal(status, 'succeeded')
    } else if (accepted.includes('cancel')) {
      assert.deepEqual([status, job['cause']], ['compensated', 'cancelled'])
    } else if (status !== 'succeeded') {
      assert.deepEqual([status, job['cause']], ['compensated', 'timed_out'])
    }
  })
  assert.equal(plays, 720)
})

test('start × startBy × cancel × job timeout × failure × crash: every order of six', () => {
  const events: Event[] = ['start', 'start-by', 'cancel', 'job-timeout', 'report-failed', 'crash']
  const startBy = new LedgerHarness().now + 50
  const plays = playAll(
    events,
    { slots: {}, startBy, timeoutMs: 1000 },
    [],
    (accepted, status, job) => {
      const error = job['error'] as { readonly code: string } | null
      if (isFirst(accepted, 'start-by', ['start', 'cancel', 'job-timeout'])) {
        assert.deepEqual([status, error?.code], ['failed', 'start_by_passed'])
        assert.equal(job['startedAt'], null)
      }
      if (isFirst(accepted, 'start', ['start-by', 'cancel', 'job-timeout'])) {
        assert.notEqual(error?.code, 'start_by_passed')
        assert.notEqual(job['startedAt'], null)
      }
      if (isFirst(accepted, 'cancel', ['start', 'start-by', 'job-timeout'])) {
        assert.deepEqual([status, job['startedAt']], ['cancelled', null])
      }
    },
  )
  assert.equal(plays, 720)
})

test('failed undoing × retry × skip × fail × cancel × crash: every order of six', () => {
  const events: Event[] = ['undo-fails', 'retry', 'skip', 'fail', 'cancel', 'crash']
  const prelude: Event[] = ['cancel', 'report']
  const plays = playAll(events, {}, prelude, (accepted, status) => {
    const done = accepted.slice(prelude.length)
    assert.ok(!done.includes('cancel'), 'what is undone is not cancelled')
    if (done.includes('fail')) assert.equal(status, 'failed')
    else assert.equal(status, stuck(done) ? 'compensation_failed' : 'compensated')
    if (done.includes('fail')) assert.ok(done.indexOf('undo-fails') < done.indexOf('fail'))
  })
  assert.equal(plays, 720)
})

/** The undoing has failed, and nobody did anything about it after that. */
function stuck(done: readonly Event[]): boolean {
  const failure = done.indexOf('undo-fails')
  return failure >= 0 && !done.slice(failure).some((event) => event === 'retry' || event === 'skip')
}
