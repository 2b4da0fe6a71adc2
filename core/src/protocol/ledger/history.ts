import type { JobError } from '@gyre/jobs'
import type { Instant } from '../../base/ids.js'
import type { AttemptEnd } from './task.js'

/**
 * The timeline of a job. Events are facts that apply produced, numbered from 1 per job; clients see
 * them as `{seq, at, type, …}`. A step's success is told by its attempt's end, except where many
 * attempts make one step (`forEach`).
 */
export type HistoryDetail =
  | { readonly type: 'job_submitted' }
  /** It is like `source` as that was in `run`, begun with step `from` where one is named. */
  | {
      readonly type: 'job_resubmitted'
      readonly source: string
      readonly run: number
      readonly from?: string
    }
  /** The step does not run here: job `source` has done it. */
  | { readonly type: 'output_taken_over'; readonly step: string; readonly source: string }
  /** It starts nothing before `until`. */
  | { readonly type: 'job_scheduled'; readonly until: Instant }
  | ({
      readonly type: 'attempt_started'
      readonly node: string
      readonly fence: number
    } & OfAttempt)
  /** The attempt was told to stop. */
  | ({ readonly type: 'attempt_stopping'; readonly reason: ToldStop } & OfAttempt)
  | ({
      readonly type: 'attempt_ended'
      readonly outcome: AttemptEnd
      /** How many of the task's lost attempts count against their budget by now. */
      readonly lostAttempts?: number
      readonly error?: JobError
    } & OfAttempt)
  /** The attempt did not run: it was given what the same work gave in job `source`. */
  | ({ readonly type: 'memoized'; readonly source: string } & OfAttempt)
  /** Another attempt will follow, not before `until`. */
  | ({ readonly type: 'retry_scheduled'; readonly until: Instant } & OfAttempt)
  /**
   * The step could start, and the node will not take its service; told again only when the reason is
   * another one, or attempts were made since.
   */
  | {
      readonly type: 'service_refused'
      readonly step: string
      /** There for compensations. */
      readonly hook?: 'compensate'
      readonly service: string
      readonly node: string
      readonly reason: string
      readonly text: string
    }
  /** A `forEach` step knows its items. */
  | { readonly type: 'items_found'; readonly step: string; readonly count: number }
  | { readonly type: 'step_succeeded'; readonly step: string }
  | { readonly type: 'step_failed'; readonly step: string; readonly error: JobError }
  /** Its condition was not met; or the step `need`, which it cannot do without, was not done. */
  | { readonly type: 'step_skipped'; readonly step: string; readonly need?: string }
  /** The job has failed, and these steps are there for that. */
  | { readonly type: 'failure_steps_started'; readonly steps: readonly string[] }
  | { readonly type: 'cancel_requested'; readonly compensate: boolean }
  /** The job as a whole has taken too long, or had not begun in time. */
  | { readonly type: 'job_timed_out' }
  | { readonly type: 'start_by_passed' }
  /** Steps to be undone, in the order in which that happens. */
  | { readonly type: 'compensation_started'; readonly steps: readonly string[] }
  | { readonly type: 'step_compensated'; readonly step: string }
  | { readonly type: 'compensation_failed'; readonly step: string; readonly error: JobError }
  | { readonly type: 'compensation_retried' }
  | { readonly type: 'compensation_skipped'; readonly step: string; readonly reason: string }
  /** An operator has ended the job; nothing more is undone. */
  | { readonly type: 'compensation_given_up'; readonly reason: string }
  | { readonly type: 'job_retried'; readonly run: number }
  | {
      readonly type: 'job_ended'
      readonly status: string
      readonly cause: string | null
      readonly error?: JobError
    }

/**
 * Why an attempt was told to stop: it took too long itself, or its job was cancelled, has failed, or took
 * too long as a whole.
 */
export type ToldStop = 'timed_out' | 'cancelled' | 'job_failed' | 'job_timed_out'

/** `index` is there for items, `hook` for compensations. */
export interface OfAttempt {
  readonly step: string
  readonly index?: number
  readonly hook?: 'compensate'
  readonly attempt: number
}

export type HistoryEvent = HistoryDetail & { readonly seq: number; readonly at: Instant }

/** Events that may be many: they leave the last places of a history to the milestones. */
const MAYBE_MANY: ReadonlySet<HistoryDetail['type']> = new Set([
  'attempt_started',
  'attempt_stopping',
  'attempt_ended',
  'retry_scheduled',
  'memoized',
  'service_refused',
])

export function isMilestone(detail: HistoryDetail): boolean {
  return !MAYBE_MANY.has(detail.type)
}
