import type { JobError } from '@gyre/jobs'
import type { Duration, Instant } from '../../base/ids.js'
import { advance, beginStopping } from './advance.js'
import type { SubmitCommand } from './command.js'
import type { JobEdit } from './job-edit.js'
import type { JobRow, JobTerms } from './job-row.js'
import { type DeadlineKind, type JobTimer, jobTimers, type JobTimerKind } from './job-timers.js'
import { PRIORITY_DEFAULT } from './limits.js'

/**
 * When a job may start, must have started, and must be done, in arc time: what happens when one of
 * these instants comes. Timers bring it about; a deadline that has passed also stands in the way of
 * every start, so that none slips through before its timer has fired.
 */

/** What a submission says of the job as a whole, with durations counted from now. */
export function termsOf(command: SubmitCommand, at: Instant): JobTerms {
  const { priority = PRIORITY_DEFAULT, delayMs = 0, runAt = at + delayMs } = command
  const { startBy, timeoutMs, affinity, labels, retentionMs } = command
  return {
    priority,
    ...(runAt > at ? { runAt } : null),
    ...(startBy === undefined ? null : { startBy }),
    ...(timeoutMs === undefined ? null : timeLimit(timeoutMs, Math.max(at, runAt))),
    ...(affinity === undefined ? null : { affinity }),
    ...(labels === undefined ? null : { labels }),
    ...(retentionMs === undefined ? null : { retentionMs }),
  }
}

/** As a job had them, for another like it that starts now: its instants were that job's own. */
export function termsAgain(row: JobRow, at: Instant): JobTerms {
  const { priority, timeoutMs, affinity, labels, retentionMs } = row
  return {
    priority,
    ...(timeoutMs === undefined ? {} : timeLimit(timeoutMs, at)),
    ...(affinity === undefined ? {} : { affinity }),
    ...(labels === undefined ? {} : { labels }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
  }
}

/** A new run by an operator has the whole time again, from now on. */
export function renewedLimit({ timeoutMs }: JobRow, at: Instant): Partial<JobTerms> {
  return timeoutMs === undefined ? {} : timeLimit(timeoutMs, at)
}

function timeLimit(timeoutMs: Duration, from: Instant): Partial<JobTerms> {
  return { timeoutMs, timesOutAt: from + timeoutMs }
}

/** A timer of the job has come; what the same entry has changed before may have made it void. */
export function onJobTimer(edit: JobEdit, kind: JobTimerKind): void {
  if (!isDue(edit, jobTimers(edit.row), kind)) return
  if (kind === 'run-at') {
    edit.patch({ phase: 'forward' })
    advance(edit)
  } else giveUp(edit, kind)
}

/** Gives a job up whose deadline has passed. @returns false while none has */
export function endIfOverdue(edit: JobEdit): boolean {
  const timers = jobTimers(edit.row)
  if (timers.length === 0) return false
  const kind = DEADLINES.find((one) => isDue(edit, timers, one))
  if (kind === undefined) return false
  giveUp(edit, kind)
  return true
}

function isDue({ context }: JobEdit, timers: readonly JobTimer[], kind: JobTimerKind): boolean {
  return timers.some((timer) => timer.kind === kind && timer.dueAt <= context.at)
}

function giveUp(edit: JobEdit, kind: DeadlineKind): void {
  const cause = kind === 'job-timeout' ? 'timed_out' : 'failed'
  edit.note({ type: kind === 'job-timeout' ? 'job_timed_out' : 'start_by_passed' })
  beginStopping(edit, { cause, error: ERRORS[kind], compensate: true })
  advance(edit)
}

const DEADLINES: readonly DeadlineKind[] = ['start-by', 'job-timeout']

const ERRORS: Readonly<Record<DeadlineKind, JobError>> = {
  'start-by': {
    code: 'start_by_passed',
    message: 'no attempt of the job had started by its startBy; nothing of it was done',
    retryable: false,
  },
  'job-timeout': {
    code: 'job_timed_out',
    message: 'the job was not done within its timeout; what it had done is undone where it can be',
    retryable: false,
  },
}
