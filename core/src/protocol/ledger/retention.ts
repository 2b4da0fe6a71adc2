import type { Instant } from '../../base/ids.js'
import type { EntryContext } from './entry-context.js'
import { unchangingIndexKeys } from './job-index.js'
import type { JobRow } from './job-row.js'
import { isFinal } from './job-status.js'
import { PURGE_ROWS_PER_ENTRY, RETENTION_MS_DEFAULT, SUBMISSION_KEY_KEPT_MS } from './limits.js'
import { endOf, keys, type PurgeRow, sortable, type SubmissionKeyRow } from './rows-layout.js'

/**
 * The end of finished jobs: after their retention, or when an operator wants, they are removed with
 * all that belongs to them.
 *
 * P1  a job is removed only when it is finished for good; compensation_failed still needs somebody
 * P2  it is gone for readers, lists and counts in the entry that begins its removal; the rest of its
 *     rows goes in slices of bounded size, entry by entry, wherever a crash comes in between
 * P3  its submission's key stays until the end of its window and answers with what is left of it
 */

/** When the job is to be removed; null: not as it is now. */
export function purgeAt(row: JobRow): Instant | null {
  const { finishedAt, status } = row
  if (finishedAt === null || !isFinishedForGood(status)) return null
  return finishedAt + retentionOf(row)
}

export function isFinishedForGood(status: JobRow['status']): boolean {
  return isFinal(status) && status !== 'compensation_failed'
}

/** Removes what is due by the entry's arc time, the longest due first. */
export function purgeDue(context: EntryContext): void {
  let left = PURGE_ROWS_PER_ENTRY
  const to = `q/${sortable(context.at + 1)}`
  for (const { key, value } of context.rows.scan<PurgeRow>('q/', to, PURGE_ROWS_PER_ENTRY)) {
    if (left <= 0) return
    if (value.kind === 'upgrade' || value.kind === 'tell-refused') continue
    left -=
      value.kind === 'job' ? purge(context, key, value.job, left) : forget(context, key, value)
  }
}

/** Removes a job that is finished for good now, as far as one entry may. */
export function purgeNow(context: EntryContext, row: JobRow): void {
  const due = purgeAt(row)
  if (due !== null) context.rows.delete(keys.purgeJob(due, row.id))
  const key = keys.purgeJob(context.at, row.id)
  const purgeRow: PurgeRow = { kind: 'job', job: row.id }
  context.rows.put(key, purgeRow)
  context.noteTimersChanged()
  purge(context, key, row.id, PURGE_ROWS_PER_ENTRY)
}

/** @returns rows that it removed */
function purge(context: EntryContext, key: string, job: string, rowsMax: number): number {
  const { rows } = context
  const row = rows.get<JobRow>(keys.job(job))
  const hidden = row === undefined ? 0 : hide(context, row)
  const prefix = `${keys.job(job)}/`
  const page = rows.scan<object>(prefix, endOf(prefix), rowsMax)
  for (const entry of page) rows.delete(entry.key)
  if (page.length < rowsMax) rows.delete(key)
  return hidden + page.length + 1
}

/** P2. What finds the job, and the job itself. */
function hide(context: EntryContext, row: JobRow): number {
  const { rows, hash } = context
  const found = [
    keys.jobIndex(row.status, row.createdAt, row.id),
    ...unchangingIndexKeys(hash, row),
  ]
  for (const key of [...found, keys.job(row.id)]) rows.delete(key)
  context.countJobs(row, row.status, -1)
  leaveStub(context, row)
  return found.length + 1
}

/** P3. */
function leaveStub({ rows, at }: EntryContext, row: JobRow): void {
  const { idempotencyKey: key, status } = row
  const known = key === undefined ? undefined : rows.get<SubmissionKeyRow>(keys.submissionKey(key))
  if (key === undefined || known?.job !== row.id) return
  const until = (row.finishedAt ?? at) + Math.max(retentionOf(row), SUBMISSION_KEY_KEPT_MS)
  if (until <= at) return rows.delete(keys.submissionKey(key))
  const stub: SubmissionKeyRow = { ...known, purged: { status } }
  const purgeRow: PurgeRow = { kind: 'key', key }
  rows.put(keys.submissionKey(key), stub)
  rows.put(keys.forgetKey(until, key), purgeRow)
}

function forget(
  { rows }: EntryContext,
  rowKey: string,
  value: Extract<PurgeRow, { readonly kind: 'key' | 'bulk' }>,
): number {
  rows.delete(value.kind === 'key' ? keys.submissionKey(value.key) : keys.bulk(value.bulk))
  rows.delete(rowKey)
  return 2
}

function retentionOf({ retentionMs = RETENTION_MS_DEFAULT }: JobRow): number {
  return retentionMs
}
