import type { Rows } from '../state/rows.js'
import { keyReused } from './call-keys.js'
import type { IdempotencyStamp } from './command.js'
import type { JobRow } from './job-row.js'
import { isFinal } from './job-status.js'
import type { Applied } from './outcome.js'
import { keys, type SubmissionKeyRow } from './rows-layout.js'

/**
 * What a submission under this key and fingerprint has led to before: the job in whatever state it is
 * now, or what is left of it; a refusal when the key belongs to another one; undefined: nothing yet.
 */
export function recallSubmission(rows: Rows, stamp: IdempotencyStamp): Applied | undefined {
  const row = rows.get<SubmissionKeyRow>(keys.submissionKey(stamp.key))
  if (row === undefined) return undefined
  if (row.fingerprint !== stamp.fingerprint) return keyReused()
  const { job: id, purged } = row
  if (purged === undefined) return replayed(id, rows.get<JobRow>(keys.job(id)))
  const shows = { kind: 'purged-job', id, status: purged.status } as const
  return { ok: true, result: 'replayed-final', shows }
}

/** The submission was stored before, as this job. */
export function replayed(id: string, row: JobRow | undefined): Applied {
  const hasEnded = row !== undefined && isFinal(row.status)
  return {
    ok: true,
    result: hasEnded ? 'replayed-final' : 'replayed',
    shows: { kind: 'job', id },
  }
}
