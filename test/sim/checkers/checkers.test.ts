import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { FinalState, JobView, RecordView } from '../final-state.js'
import type { Checker, Observation } from '../observation.js'
import type { ClientOperation } from '../operation.js'
import { AcknowledgedKept } from './acknowledged-kept.js'
import { AnsweredOnce } from './answered-once.js'
import { AtRest } from './at-rest.js'
import { FinalStays } from './final-stays.js'
import { GaveUpForAReason } from './gave-up-for-a-reason.js'
import { RecordsLinearizable } from './records-linearizable.js'
import { RefusalsTold } from './refusals-told.js'
import { RestSurvives } from './rest-survives.js'

/**
 * Histories made by hand, for what no planted bug shows, since an assertion of the product or another
 * part of the run would always come first. That checkers see real bugs is proven by the mutations.
 */
function show(checker: Checker, ...history: readonly Observation[]): void {
  history.forEach((observation, index) => checker.observe(index, observation))
}

const JOB: JobView = {
  id: 'j1',
  status: 'succeeded',
  cause: null,
  run: 1,
  error: null,
  startedAt: null,
  input: { n: 1 },
  output: null,
  steps: [],
}

const RECORD: RecordView = { key: 'r0', version: 7, value: 'a', updatedAt: '2026-01-01T00:00:00Z' }

function rested(state: Partial<FinalState>): Observation {
  return { kind: 'rested', state: { jobs: [], records: [], ...state } }
}

function operation(number: number, work: ClientOperation['work']): ClientOperation {
  return { number, intention: number, client: 0, arc: 0, work }
}

function submit(number: number): ClientOperation {
  const plan = { job: null, single: true, steps: [] }
  const command = { kind: 'submit', id: 'j1', plan, input: JOB.input } as const
  return operation(number, { kind: 'command', command, needs: [] })
}

function put(number: number, value: string): ClientOperation {
  const command = { kind: 'put-record', key: 'r0', id: 'id', value } as const
  return operation(number, { kind: 'command', command, needs: [] })
}

function answered(to: ClientOperation, reply: Reply): Observation {
  return { kind: 'answered', operation: to, reply }
}

function shows(body: object, result = 'accepted'): Reply {
  return { ok: true, result, body: JSON.stringify(body) } as Reply
}

function violates(checker: string, run: () => void): void {
  assert.throws(run, { name: 'Violation', checker })
}

test('acknowledged-kept: a job that was acknowledged and is not there at rest is lost', () => {
  const acknowledged = answered(submit(1), shows(JOB))
  show(new AcknowledgedKept(), acknowledged, rested({ jobs: [JOB] }))
  violates('acknowledged-kept', () => show(new AcknowledgedKept(), acknowledged, rested({})))
  const altered = rested({ jobs: [{ ...JOB, input: { n: 2 } }] })
  violates('acknowledged-kept', () => show(new AcknowledgedKept(), acknowledged, altered))
})

test('acknowledged-kept: a run that was acknowledged is not forgotten', () => {
  const retry = { kind: 'retry', id: 'j1' } as const
  const work = { kind: 'command', command: retry, needs: [] } as const
  const acknowledged = answered(operation(1, work), shows({ ...JOB, run: 2 }))
  violates('acknowledged-kept', () => {
    show(new AcknowledgedKept(), acknowledged, rested({ jobs: [JOB] }))
  })
})

test('rest-survives: a job or a record that looks otherwise after the restart, or is gone, or new', () => {
  const first = rested({ jobs: [JOB], records: [RECORD] })
  show(new RestSurvives(), first, first)
  const others: readonly Partial<FinalState>[] = [
    { jobs: [{ ...JOB, output: 1 }], records: [RECORD] },
    { jobs: [JOB], records: [{ ...RECORD, value: 'b' }] },
    { jobs: [JOB] },
    { records: [RECORD] },
    { jobs: [JOB, { ...JOB, id: 'j2' }], records: [RECORD] },
  ]
  for (const other of others)
    violates('rest-survives', () => show(new RestSurvives(), first, rested(other)))
})

test('final-stays: what has ended is never shown otherwise, a failed compensation may go on', () => {
  const query = operation(1, { kind: 'query', query: { kind: 'job', id: 'j1' } })
  const seen = (job: object): Observation => answered(query, shows(job, 'found'))
  show(new FinalStays(), seen({ ...JOB, status: 'running' }), seen(JOB), rested({ jobs: [JOB] }))
  violates('final-stays', () => show(new FinalStays(), seen(JOB), seen({ ...JOB, output: 2 })))
  violates('final-stays', () => {
    show(new FinalStays(), seen(JOB), rested({ jobs: [{ ...JOB, status: 'failed' }] }))
  })
  const failed = { ...JOB, status: 'compensation_failed' }
  show(new FinalStays(), seen(failed), seen({ ...JOB, status: 'compensated' }))
})

test('at-rest: code that may still run, and a job that succeeded without one of its steps', () => {
  const dispatch = { attempt: 'j1.1.main.-.r.1' } as Dispatch
  const started: Observation = { kind: 'dispatched', dispatch }
  const ceased: Observation = { kind: 'ceased', attempt: dispatch.attempt }
  show(new AtRest(), started, ceased, rested({ jobs: [JOB] }))
  violates('at-rest', () => show(new AtRest(), started, rested({ jobs: [JOB] })))
  const step = {
    name: 'main',
    service: 'work.a',
    status: 'waiting',
    output: null,
    attempts: [],
    attemptCount: 0,
  }
  violates('at-rest', () => show(new AtRest(), rested({ jobs: [{ ...JOB, steps: [step] }] })))
})

test('at-rest: proposals that wait for ever, once every job is final', () => {
  const held = { openJobs: [], runningAttempts: 0, pendingProposals: 1 }
  violates('at-rest', () => show(new AtRest(), { kind: 'stood-still', held }))
  show(new AtRest(), { kind: 'stood-still', held: { ...held, openJobs: ['j1 running'] } })
})

test('answered-once: a second answer, and none although nothing moves any more', () => {
  const invoked: Observation = { kind: 'invoked', operation: submit(1) }
  const answer = answered(submit(1), shows(JOB))
  const still: Observation = {
    kind: 'stood-still',
    held: { openJobs: [], runningAttempts: 0, pendingProposals: 0 },
  }
  show(new AnsweredOnce(), invoked, answer, still)
  violates('answered-once', () => show(new AnsweredOnce(), invoked, answer, answer))
  violates('answered-once', () => show(new AnsweredOnce(), invoked, still))
  violates('answered-once', () =>
    show(new AnsweredOnce(), { kind: 'answered-unasked', request: 1 }),
  )
})

test('records-linearizable: a write that is acknowledged and not there at rest', () => {
  const reply: Reply = { ok: true, result: 'created', version: 7, body: JSON.stringify(RECORD) }
  const written = [
    { kind: 'invoked', operation: put(1, 'a') } as const,
    answered(put(1, 'a'), reply),
  ]
  show(new RecordsLinearizable(), ...written, rested({ records: [RECORD] }))
  violates('records-linearizable', () => {
    show(new RecordsLinearizable(), ...written, rested({}))
  })
})

test('records-linearizable: a write repeated after another one came between has two versions', () => {
  const created: Reply = { ok: true, result: 'created', version: 2 }
  const updated = (version: number): Reply => ({ ok: true, result: 'updated', version })
  const read = operation(4, { kind: 'query', query: { kind: 'record', key: 'r0' } })
  const first = { ...RECORD, version: 3 }
  const found = { ok: true, result: 'found', version: 3, body: JSON.stringify(first) } as const
  show(
    new RecordsLinearizable(),
    { kind: 'invoked', operation: put(1, 'z') },
    answered(put(1, 'z'), created),
    { kind: 'invoked', operation: put(2, 'a') },
    { kind: 'unanswered', operation: put(2, 'a') },
    { kind: 'invoked', operation: read },
    answered(read, found),
    { kind: 'invoked', operation: put(5, 'b') },
    answered(put(5, 'b'), updated(5)),
    { kind: 'invoked', operation: put(6, 'a') },
    answered(put(6, 'a'), updated(7)),
    rested({ records: [RECORD] }),
  )
})

test('gave-up-for-a-reason: a lost state is a reason only until it has been rebuilt', () => {
  const checker = (): Checker => new GaveUpForAReason(() => true)
  const lost: Observation = { kind: 'harmed', harm: 'state-lost' }
  const refused = gaveUp('state_lost')
  show(checker(), lost, refused, refused)
  violates('gave-up-for-a-reason', () => show(checker(), refused))
  violates('gave-up-for-a-reason', () => show(checker(), lost, { kind: 'serving' }, refused))
  violates('gave-up-for-a-reason', () => show(new GaveUpForAReason(() => false), lost, refused))
})

test('refusals-told: what was never refused so, and what a step does not run on, is not told', () => {
  const labels = { reason: 'labels', text: 'no gpu' } as const
  const offered: Observation = {
    kind: 'offered',
    slots: {},
    totalSlots: 1,
    refused: { 'work.a': labels },
  }
  const told = (service: string, text: string): Observation => {
    const event = {
      type: 'service_refused',
      step: 'main',
      service,
      reason: 'labels',
      text,
    } as const
    return { kind: 'looked', timelines: [{ job: JOB, events: [event] }] }
  }
  const begun: Observation = { kind: 'invoked', operation: submitOf('work.a') }
  const checker = (): Checker => new RefusalsTold()
  show(checker(), begun, offered, told('work.a', 'no gpu'))
  violates('refusals-told', () => show(checker(), begun, offered, told('work.a', 'no room')))
  violates('refusals-told', () => show(checker(), begun, offered, told('work.b', 'no gpu')))
  const other: Observation = { kind: 'invoked', operation: submitOf('work.b') }
  violates('refusals-told', () => show(checker(), other, offered, told('work.a', 'no gpu')))
})

function submitOf(service: string): ClientOperation {
  const retry = { attempts: 1, delayMs: 1, factorMilli: 1000, maxDelayMs: 1, jitter: false }
  const step = { name: 'main', service, needs: [], input: null, timeoutMs: 1, retry }
  const plan = { job: null, single: true, steps: [{ ...step, forEach: null, compensate: null }] }
  const command = { kind: 'submit', id: 'j1', plan, input: null } as const
  return operation(1, { kind: 'command', command, needs: [] })
}

test('gave-up-for-a-reason: each code has its own reason, and one failure excuses one end', () => {
  const checker = (): Checker => new GaveUpForAReason(() => true)
  const failed: Observation = { kind: 'harmed', harm: 'io-failed' }
  show(checker(), failed, gaveUp('EIO'))
  violates('gave-up-for-a-reason', () => show(checker(), failed, gaveUp('EIO'), gaveUp('EIO')))
  for (const code of ['log_damaged', 'log_lost', 'state_damaged', 'ENOSPC', 'log_missing'])
    violates('gave-up-for-a-reason', () => show(checker(), failed, gaveUp(code)))
})

test('gave-up-for-a-reason: rot in the log is a reason until there was time to find it', () => {
  const checker = (): Checker => new GaveUpForAReason(() => false)
  const rotten: Observation = { kind: 'harmed', harm: 'log-rotten' }
  const told: Observation = { kind: 'log-rot-told', message: 'a checksum does not hold' }
  const lost: Observation = { kind: 'harmed', harm: 'state-lost' }
  show(checker(), rotten, told, gaveUp('log_damaged'))
  show(checker(), rotten, told, { kind: 'had-time-to-scrub' }, lost, gaveUp('state_lost'))
  // A start that serves has read all of the log; where the state holds all, none may refuse it.
  const covered: Observation = { kind: 'rot-is-covered' }
  show(checker(), rotten, covered, told, { kind: 'serving' }, rotten, gaveUp('log_damaged'))
  violates('gave-up-for-a-reason', () => show(checker(), rotten, covered, gaveUp('log_damaged')))
  violates('gave-up-for-a-reason', () => show(checker(), rotten, { kind: 'serving' }, told))
  violates('gave-up-for-a-reason', () =>
    show(checker(), rotten, { kind: 'serving' }, gaveUp('log_damaged')),
  )
  violates('gave-up-for-a-reason', () => show(checker(), told))
  violates('gave-up-for-a-reason', () =>
    show(checker(), rotten, { kind: 'had-time-to-scrub' }, gaveUp('log_damaged')),
  )
})

function gaveUp(code: string): Observation {
  return { kind: 'life-ended', end: { kind: 'gave-up', code, message: 'drawn by hand' } }
}
