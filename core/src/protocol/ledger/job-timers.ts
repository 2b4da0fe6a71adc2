import type { Instant } from '../../base/ids.js'
import type { JobRow } from './job-row.js'

/** Why a job is to be looked at when its time has come (job-times.ts). */
export type JobTimerKind = 'run-at' | DeadlineKind
export type DeadlineKind = 'start-by' | 'job-timeout'

export interface JobTimer {
  readonly kind: JobTimerKind
  readonly dueAt: Instant
}

/**
 * The timers that a job has by its row, and by nothing else: rows of them are brought up to date when
 * the job is saved, so that none outlives its reason.
 */
export function jobTimers(row: JobRow): readonly JobTimer[] {
  const { phase, runAt, startBy, startedAt, timesOutAt, run } = row
  if (phase !== 'scheduled' && phase !== 'forward') return NO_TIMERS
  if (runAt === undefined && startBy === undefined && timesOutAt === undefined) return NO_TIMERS
  const timers: JobTimer[] = []
  if (phase === 'scheduled' && runAt !== undefined) timers.push({ kind: 'run-at', dueAt: runAt })
  // An operator's new run is not bound by it: it is late on purpose.
  const mustStart = startBy !== undefined && startedAt === null && run === 1
  if (mustStart) timers.push({ kind: 'start-by', dueAt: startBy })
  if (timesOutAt !== undefined) timers.push({ kind: 'job-timeout', dueAt: timesOutAt })
  return timers
}

const NO_TIMERS: readonly JobTimer[] = []
