import { FINAL_STATUSES, type JobStatus } from '../../base/job-statuses.js'
import type { JobRow, StepState } from './job-row.js'

const FINAL: ReadonlySet<JobStatus> = new Set(FINAL_STATUSES)

export function isFinal(status: JobStatus): boolean {
  return FINAL.has(status)
}

/** The first that applies, in the order of api.md. */
export function statusOf(row: JobRow, steps: readonly StepState[]): JobStatus {
  switch (row.phase) {
    case 'ended':
      return endStatus(row, steps)
    case 'compensating':
      return 'compensating'
    case 'stopping':
      return row.cause === 'cancelled' ? 'cancelling' : 'running'
    case 'scheduled':
      return 'scheduled'
    case 'forward':
    case 'failing':
      if (row.running > 0) return 'running'
      return row.ready > 0 ? 'queued' : 'waiting'
  }
}

function endStatus(row: JobRow, steps: readonly StepState[]): JobStatus {
  if (row.cause === null) return 'succeeded'
  if (row.isGivenUp === true) return 'failed'
  const undone = steps.flatMap(({ undo }) => undo ?? [])
  if (undone.length === 0) return row.cause === 'cancelled' ? 'cancelled' : 'failed'
  const isDone = undone.every(({ phase }) => phase === 'succeeded' || phase === 'skipped')
  return isDone ? 'compensated' : 'compensation_failed'
}
