import type { JobError, JobPlan, Json } from '@gyre/jobs'
import type { Duration, Instant } from '../../base/ids.js'
import type { JobStatus } from '../../base/job-statuses.js'
import type { HistoryEvent } from './history.js'
import type { LogSum } from './job-logs.js'
import type { OutputRow, PlanRow } from './rows-layout.js'
import type { TaskState } from './task.js'

/**
 * What the ledger keeps of a job beside its plan, outputs and history. Steps stand in the order of
 * the plan. The items of a `forEach` have rows of their own, made when they are started.
 */

/** Where the job stands as a whole; its status for clients follows from this and its counters. */
export type JobPhase =
  /** Waits for its `runAt`. */
  | 'scheduled'
  /** Works through its steps. */
  | 'forward'
  /** Has failed or was cancelled; starts nothing and waits for its running attempts to end. */
  | 'stopping'
  /** Has failed and stopped; runs the steps that are there for that. */
  | 'failing'
  /** Undoes steps, newest first. */
  | 'compensating'
  | 'ended'

export type JobCause = 'failed' | 'timed_out' | 'cancelled' | 'poison'

/** What a submission says of the job as a whole; rows without these members are of jobs without them. */
export interface JobTerms {
  /** 0 … 9, 9 first. */
  readonly priority: number
  /** Nothing starts before; absent: it may at once. */
  readonly runAt?: Instant
  /** The first attempt of the first run starts before this, or never. */
  readonly startBy?: Instant
  /** How long a run may take. */
  readonly timeoutMs?: Duration
  /** When the current run has taken that long. */
  readonly timesOutAt?: Instant
  /** Tasks are placed by the hash of this instead of their own IDs. */
  readonly affinity?: string
  /** They never change, so that lists can find the job by them. */
  readonly labels?: Readonly<Record<string, string>>
  /** How long it is kept once it has finished, milliseconds; absent: RETENTION_MS_DEFAULT. */
  readonly retentionMs?: number
}

export interface JobRow extends JobTerms {
  readonly id: string
  /** Name of the job definition, null without one. */
  readonly job: string | null
  readonly phase: JobPhase
  readonly status: JobStatus
  readonly cause: JobCause | null
  /** Whether steps are to be undone once everything has stopped. */
  readonly compensate: boolean
  /** From 1; raised by an operator's retry of a failed job. */
  readonly run: number
  /** Of the submission, if it had one: the key goes when the job does. */
  readonly idempotencyKey?: string
  readonly createdAt: Instant
  readonly startedAt: Instant | null
  readonly finishedAt: Instant | null
  readonly error: JobError | null
  /** True: an operator has ended it, with steps that could not be undone; absent: no. */
  readonly isGivenUp?: true
  /** The step that failed the job; null or absent: none did. */
  readonly failedStep?: string | null
  /** True: the output is in the job's own output row; false: it is its only step's, or null. */
  readonly ownOutput: boolean
  readonly steps: readonly StepState[]
  /** Fence of the newest attempt; rises with each. */
  readonly fence: number
  /** Attempts that have ended: numbers the order of completion. */
  readonly endCount: number
  readonly eventCount: number
  readonly historyTruncated: boolean
  /** There for small jobs, which have no rows for these (job-parts.ts). */
  readonly parts?: JobParts
  /** Absent: nothing was logged. */
  readonly logs?: LogSum
  /** How often running attempts told something; rises, so followers know what they have seen. Absent: 0. */
  readonly notes?: number
  /** Tasks leased or stopping. */
  readonly running: number
  /** Tasks that could start now. */
  readonly ready: number
}

export interface JobParts {
  readonly plan: PlanRow
  /** The first chunk of its history. */
  readonly events: readonly HistoryEvent[]
}

/** `open`: its needs are met and it has tasks; the last four are ends. */
export type StepPhase = 'waiting' | 'open' | 'succeeded' | 'skipped' | 'failed' | 'cancelled'

export interface StepState {
  readonly phase: StepPhase
  /** The task of a step without `forEach`, once the step was opened. */
  readonly task: TaskState | null
  /** The items of a `forEach` step in sum, once the step was opened. */
  readonly fan: FanState | null
  /** Place in the order of completion: the job's `endCount` at the newest end of an attempt; 0: none. */
  readonly endedOrder: number
  readonly error: JobError | null
  /** Where the job and it are small; else it has a row (job-parts.ts). */
  readonly output?: OutputRow
  /** Job whose output it has: it did not run here; absent: it is this job's own. */
  readonly takenFrom?: string
  /** True: it runs only when the job has failed; absent: no. */
  readonly onFailure?: true
  /** True: a task of it lost too many attempts; absent: no. */
  readonly poisoned?: boolean
  /** The refusal that its timeline has told last; absent: none. */
  readonly refused?: ToldRefusal
  /** Null unless the step must be undone. */
  readonly undo: UndoState | null
}

/** That a node refuses the service, as it was told; true until an attempt is made. */
export interface ToldRefusal {
  readonly run: number
  /** Attempts of the step, or of all its items, that had been made by then. */
  readonly attempts: number
  /** Which refusal: `mark` of its RefusalRow. */
  readonly mark: string
}

/**
 * A `forEach` in sum: 0 ≤ active ≤ concurrency; cursor ≤ total; items below the cursor were started:
 * active + succeeded + failed ≤ cursor, and the rest of them was cancelled.
 */
export interface FanState extends FanTurn {
  readonly total: number
  /** Index of the next item that was never started. */
  readonly cursor: number
  /** Items that were started and can still come to run: they hold a place of the concurrency. */
  readonly active: number
  readonly succeeded: number
  readonly failed: number
  /** Items that are done or unknown: to be undone when the step is. */
  readonly mustUndo: number
  /** Attempts of all items. */
  readonly attemptCount: number
  /** Lost attempts, charged to its budget, of the item that lost most in this run; absent: 0. */
  readonly losses?: number
  /** UTF-8 bytes of the outputs so far as members of one JSON array. */
  readonly outputBytes: number
  /** Tasks that the step's row in the ready queue stands for; 0: it has none. */
  readonly queued: number
  /** Its items that are not done with have rows (open-items.ts); absent: they must be looked for. */
  readonly indexed?: true
  /** Its outputs have become too large for one array; absent: they have not. */
  readonly overflowed?: true
}

export interface UndoState {
  readonly phase: 'waiting' | 'open' | 'succeeded' | 'failed' | 'skipped'
  readonly task: TaskState | null
  readonly fan: UndoFan | null
  readonly error: JobError | null
  readonly skipped: { readonly reason: string; readonly at: Instant } | null
  /** As of the step. */
  readonly refused?: ToldRefusal
}

/** The place of a fan's ready items in the queue (fan-out.ts). */
export interface FanTurn {
  /** Since when the first of them is ready. */
  readonly readyAt: Instant
  /** How many became ready with it; absent: all. */
  readonly together?: number
  /** When the first after those became ready; absent or null: there is none. */
  readonly followAt?: Instant | null
}

/** The undoing of a `forEach` in sum: items to be undone = left + active + succeeded + failed. */
export interface UndoFan extends FanTurn {
  /** Items below were looked at. */
  readonly cursor: number
  /** Items still to be undone, none of them started. */
  readonly left: number
  readonly active: number
  readonly succeeded: number
  readonly failed: number
  readonly attemptCount: number
  readonly queued: number
}

/** One item of a `forEach`, once it was started. */
export interface ItemRow {
  readonly task: TaskState
  readonly undo: TaskState | null
  /** Null until it has succeeded. */
  readonly output: Json
}

const NEW_STEP: StepState = {
  phase: 'waiting',
  task: null,
  fan: null,
  endedOrder: 0,
  error: null,
  undo: null,
}

export function newJob(
  id: string,
  plan: JobPlan,
  at: Instant,
  terms: JobTerms & Pick<JobRow, 'parts'>,
): JobRow & { steps: StepState[] } {
  const phase = terms.runAt === undefined ? 'forward' : 'scheduled'
  // `terms` last: V8 builds a literal that begins with a spread one slow step per member.
  return {
    id,
    job: plan.job,
    phase,
    status: 'queued',
    cause: null,
    compensate: false,
    run: 1,
    createdAt: at,
    startedAt: null,
    finishedAt: null,
    error: null,
    ownOutput: false,
    steps: plan.steps.map(({ onFailure }) =>
      onFailure === true ? { ...NEW_STEP, onFailure } : NEW_STEP,
    ),
    fence: 0,
    endCount: 0,
    eventCount: 0,
    historyTruncated: false,
    running: 0,
    ready: 0,
    ...terms,
  }
}

/** True when the job need not wait for the step any more. */
export function isDone({ phase }: StepState): boolean {
  return phase === 'succeeded' || phase === 'skipped'
}

/** True when the task may have had an effect: it is done, or nobody knows. */
export function mustUndo(task: TaskState | null): boolean {
  return task !== null && (task.phase === 'succeeded' || task.unknown)
}

/** True when the step did or may have done something that its compensation undoes. */
export function stepMustUndo(step: StepState): boolean {
  if (step.fan !== null) return step.fan.mustUndo > 0
  return mustUndo(step.task)
}
