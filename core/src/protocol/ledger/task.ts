import type { JobError, RetryPlan } from '@gyre/jobs'
import { assert, broken } from '../../base/assert.js'
import type { Instant } from '../../base/ids.js'
import type { AttemptOutcome, AttemptProgress } from './command.js'
import { LOST_ATTEMPTS_MAX } from './limits.js'

/**
 * The life of a task: one unit of work that is tried until it succeeds or its retry policy ends. A
 * step has one, each item of a `forEach` has one, and the undoing of either is one more.
 *
 * Not its job: which tasks exist and what follows from their end (advance.ts, fan-out.ts), and the
 * rows that follow a task's phase (task-rows.ts).
 *
 * T1  a task has at most one attempt that is leased or stopping
 * T2  attempt numbers rise by one, also across runs of the job
 * T3  a stopping attempt ends only by a report or by proof that its process is gone: until then the
 *     task is neither tried again nor undone
 * T4  once an attempt ended timed_out, lost, cancelled or was cut off, the task is unknown until one
 *     succeeds
 */
export type TaskPhase =
  /** May start as soon as there is a slot. */
  | 'ready'
  /** An attempt runs. */
  | 'leased'
  /** The attempt was told to stop and has not ended yet. */
  | 'stopping'
  /** Waits for its next attempt. */
  | 'backoff'
  | 'succeeded'
  | 'failed'
  /** Given up because the job was stopped. */
  | 'cancelled'

export interface TaskState {
  readonly phase: TaskPhase
  /** Number of the newest attempt; 0: none yet. */
  readonly attempt: number
  /** Attempts of this run that count against the retry policy. */
  readonly tries: number
  /** Attempts of this run that were lost with their worker: not the policy counts them, LOST_ATTEMPTS_MAX does. */
  readonly losses: number
  /** T4: an attempt may have had an effect that nobody reported. */
  readonly unknown: boolean
  /** ready: since when; leased: when the attempt times out; backoff: when the next may start. */
  readonly dueAt: Instant
  /** Why the attempt is stopping; null in every other phase. */
  readonly stopping: StopReason | null
  /** The newest attempt; null before the first. */
  readonly newest: AttemptRow | null
  /** What the newest attempt failed with, or what kept it from starting. */
  readonly error: JobError | null
}

export type StopReason = 'timed_out' | 'cancelled'

export type AttemptEnd = AttemptOutcome['kind']

export interface AttemptRow {
  readonly attempt: number
  readonly node: string
  readonly boot: number
  readonly fence: number
  readonly startedAt: Instant
  readonly finishedAt: Instant | null
  readonly outcome: AttemptEnd | null
  /** Job whose result it was given; absent: it ran. */
  readonly memoizedFrom?: string
  readonly error: JobError | null
  /** The newest that its handler said; absent: nothing yet. */
  readonly progress?: AttemptProgress
}

/** From each phase the phases that may follow it. */
const NEXT: Readonly<Record<TaskPhase, readonly TaskPhase[]>> = {
  ready: ['leased', 'failed', 'cancelled'],
  leased: ['stopping', 'ready', 'backoff', 'succeeded', 'failed', 'cancelled'],
  stopping: ['ready', 'backoff', 'succeeded', 'failed', 'cancelled'],
  backoff: ['ready', 'cancelled'],
  succeeded: [],
  failed: ['ready'],
  cancelled: ['ready'],
}

export function newTask(at: Instant): TaskState {
  return {
    phase: 'ready',
    attempt: 0,
    tries: 0,
    losses: 0,
    unknown: false,
    dueAt: at,
    stopping: null,
    newest: null,
    error: null,
  }
}

/** @throws AssertionError when the table has no such transition */
export function assertMayBecome(from: TaskPhase, to: TaskPhase): void {
  if (!NEXT[from].includes(to)) broken(`a task that is ${from} cannot become ${to}`)
}

/** True while an attempt exists that has not ended (T1). */
export function isRunning(task: TaskState | null): boolean {
  return task !== null && (task.phase === 'leased' || task.phase === 'stopping')
}

/** True while the task can still come to run without anybody's doing. */
export function isActive(task: TaskState | null): boolean {
  return task !== null && (task.phase === 'ready' || task.phase === 'backoff' || isRunning(task))
}

export function started(task: TaskState, attempt: AttemptRow, timesOutAt: Instant): TaskState {
  assert(attempt.attempt === task.attempt + 1, 'T2: attempt numbers rise by one')
  return {
    ...task,
    phase: 'leased',
    attempt: attempt.attempt,
    dueAt: timesOutAt,
    newest: attempt,
    error: null,
  }
}

export function stopped(task: TaskState, reason: StopReason): TaskState {
  return { ...task, phase: 'stopping', stopping: reason }
}

/** Ready again after its pause, or because an operator asked; `fresh` gives it a new budget. */
export function readyAgain(task: TaskState, at: Instant, budget: 'kept' | 'fresh'): TaskState {
  const ready: TaskState = { ...task, phase: 'ready', dueAt: at }
  return budget === 'kept' ? ready : { ...ready, tries: 0, losses: 0, error: null }
}

/** True when its lost attempts have used up their budget. A handler's own error never says so. */
export function isPoisoned({ phase, newest, error }: TaskState): boolean {
  const isLost = newest?.outcome === 'lost' || newest?.outcome === 'cancelled'
  return phase === 'failed' && isLost && error?.code === POISON.code
}

/** The running attempt has come so far. */
export function progressed(task: TaskState, progress: AttemptProgress): TaskState {
  assert(task.newest !== null, 'only an attempt makes progress')
  return { ...task, newest: { ...task.newest, progress } }
}

export function failedToStart(task: TaskState, error: JobError): TaskState {
  return { ...task, phase: 'failed', error }
}

/** An attempt's end as the ledger sees it, with the error that clients are shown. */
export interface Settled {
  readonly outcome: AttemptEnd
  readonly error: JobError | null
  /**
   * Lost without having been at fault: its thread or node stopped in an orderly way. Or stopped because
   * its job was, however much force that took.
   */
  readonly uncharged: boolean
  /** It failed without having had a say in it: whether it had an effect is not known. */
  readonly cutOff: boolean
}

/**
 * What a report means, given what was asked of the attempt before. A timeout has the last word: a
 * report that comes after it, even of success, is stale, and the attempt ends timed_out. Only that
 * the attempt never ran stays true whatever was asked.
 */
export function settle(task: TaskState, reported: AttemptOutcome): Settled {
  const isLate = task.stopping === 'timed_out' && reported.kind !== 'not_started'
  const outcome = isLate ? 'timed_out' : reported.kind
  const error =
    reported.kind === 'failed' && outcome === 'failed' ? reported.error : ERRORS[outcome]
  const wasAsked = reported.kind === 'cancelled' && task.stopping === 'cancelled'
  const uncharged = (reported.kind === 'lost' && !reported.charged) || wasAsked
  const cutOff = reported.kind === 'failed' && reported.unknown === true
  return { outcome, error, uncharged, cutOff }
}

/**
 * How a task goes on after an attempt's end: the task with that attempt recorded, in its next phase.
 * A task that goes on to `backoff` has `dueAt` still to be set by the caller, who has the dice.
 */
export function ended(task: TaskState, end: Settled, options: EndOptions): TaskState {
  assert(isRunning(task) && task.newest !== null, 'only a running attempt ends')
  const phase = phaseAfter(task, end, options)
  const charged = end.outcome === 'failed' || end.outcome === 'timed_out'
  const lost = end.outcome === 'lost' || end.outcome === 'cancelled'
  return {
    ...task,
    phase,
    tries: task.tries + (charged ? 1 : 0),
    losses: task.losses + (lost && !end.uncharged ? 1 : 0),
    unknown: end.outcome !== 'succeeded' && (task.unknown || leavesUnknown(task, end)),
    dueAt: options.at,
    stopping: null,
    newest: { ...task.newest, finishedAt: options.at, outcome: end.outcome, error: end.error },
    error: phase === 'failed' && lost ? errorOfLost(end, options) : end.error,
  }
}

/** What a lost attempt that nothing follows has failed its task with. */
function errorOfLost(end: Settled, { policy, mayRetry }: EndOptions): JobError | null {
  // Also of a task that ends beside others, whose job another one has failed by then.
  if (policy.attempts === 1) return ATTEMPT_UNKNOWN
  return mayRetry ? POISON : end.error
}

export interface EndOptions {
  readonly at: Instant
  readonly policy: RetryPlan
  /** False once the job is being stopped: nothing is tried again then. */
  readonly mayRetry: boolean
}

function phaseAfter(task: TaskState, end: Settled, options: EndOptions): TaskPhase {
  if (end.outcome === 'succeeded') return 'succeeded'
  const isGivenUp = end.outcome === 'cancelled' || end.outcome === 'not_started'
  if (!options.mayRetry) return isGivenUp ? 'cancelled' : 'failed'
  const { attempts } = options.policy
  switch (end.outcome) {
    case 'not_started':
      // Also when one attempt is all that is allowed: there was none. What hands attempts to a worker
      // that is not there stops with the worker's slots, so this goes round no faster than those come.
      return 'ready'
    case 'failed':
      return end.error?.retryable === true && task.tries + 1 < attempts ? 'backoff' : 'failed'
    case 'timed_out':
      return task.tries + 1 < attempts ? 'backoff' : 'failed'
    case 'lost':
    case 'cancelled':
      // One attempt allowed means never started twice: whether it ran is unknown, and stays so.
      if (attempts === 1) return 'failed'
      if (end.uncharged) return 'ready'
      return task.losses + 1 < (options.policy.lost ?? LOST_ATTEMPTS_MAX) ? 'backoff' : 'failed'
  }
}

/** A failure reported after the cancel was asked for may be one half-way: it counts as unknown. */
function leavesUnknown(task: TaskState, end: Settled): boolean {
  if (end.outcome === 'not_started') return false
  return end.outcome !== 'failed' || end.cutOff || task.stopping === 'cancelled'
}

const ERRORS: Readonly<Record<AttemptEnd, JobError | null>> = {
  succeeded: null,
  failed: null,
  timed_out: {
    code: 'attempt_timed_out',
    message: 'the attempt did not end within its timeout; whether it had an effect is not known',
    retryable: true,
  },
  cancelled: {
    code: 'attempt_cancelled',
    message: 'the attempt was stopped on request',
    retryable: true,
  },
  lost: {
    code: 'attempt_lost',
    message: 'the process that ran the attempt is gone; whether it had an effect is not known',
    retryable: true,
  },
  not_started: {
    code: 'attempt_not_started',
    message: 'the worker was not running when the attempt reached it: nothing of it was done',
    retryable: true,
  },
}

const POISON: JobError = {
  code: 'poison',
  message: `${LOST_ATTEMPTS_MAX} attempts were lost with the process or thread that ran them, so this may be what ends them; it is not started again`,
  retryable: false,
}

const ATTEMPT_UNKNOWN: JobError = {
  code: 'attempt_unknown',
  message:
    'the only attempt that the retry policy allows was lost; whether it had an effect is not known, so it is not started again',
  retryable: false,
}
