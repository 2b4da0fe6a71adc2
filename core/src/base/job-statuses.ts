/** Where a job stands, in the words of its clients; the order is that in which lists merge them. */

const OPEN_STATUSES = [
  'scheduled',
  'queued',
  'running',
  'waiting',
  'cancelling',
  'compensating',
] as const

/** They do not change by themselves; of a failed compensation an operator may still move the job on. */
export const FINAL_STATUSES = [
  'succeeded',
  'failed',
  'cancelled',
  'compensated',
  'compensation_failed',
] as const

export const JOB_STATUSES = [...OPEN_STATUSES, ...FINAL_STATUSES] as const

export type JobStatus = (typeof JOB_STATUSES)[number]
