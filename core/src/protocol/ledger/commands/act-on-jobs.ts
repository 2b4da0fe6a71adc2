import type { ActCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { JobRow } from '../job-row.js'
import { BULK_JOBS_PER_ENTRY, BULK_KEPT_MS, BULK_WEIGHT_PER_ENTRY } from '../limits.js'
import type { Applied } from '../outcome.js'
import { jobsPage } from '../queries/jobs.js'
import type { JobCursor, JobsQuery } from '../query.js'
import { type BulkRow, keys, type PurgeRow } from '../rows-layout.js'
import { cancelJob } from './cancel-job.js'
import { deleteJob } from './delete-job.js'
import { retryJob } from './retry-job.js'

/**
 * A slice of a bulk action: does it to the next of an arc's jobs that match, newest first, and in the
 * same entry notes how far it came. So each job meets the action once, however often a slice is asked
 * for and whatever happens to those who ask.
 *
 * It goes from newest to oldest: what is created meanwhile is behind it, so that it ends. Its own job is
 * left alone.
 */
export function actOnJobs(context: EntryContext, command: ActCommand): Applied {
  const { bulk } = command
  const key = keys.bulk(bulk)
  const before = context.rows.get<BulkRow>(key) ?? begin(context, bulk)
  if (!before.ended) context.rows.put(key, actOnSlice(context, command, before))
  return { ok: true, result: 'done', shows: { kind: 'bulk', id: bulk } }
}

function begin(context: EntryContext, bulk: string): BulkRow {
  const purgeRow: PurgeRow = { kind: 'bulk', bulk }
  context.rows.put(keys.forgetBulk(context.at + BULK_KEPT_MS, bulk), purgeRow)
  context.noteTimersChanged()
  return { cursor: null, done: 0, skipped: 0, failed: 0, ended: false }
}

function actOnSlice(context: EntryContext, command: ActCommand, before: BulkRow): BulkRow {
  const { items, next } = jobsPage([context], queryOf(command, before))
  let { done, skipped } = before
  let weight = 0
  for (const [index, item] of items.entries()) {
    const { id } = item
    const row = typeof id === 'string' ? context.rows.get<JobRow>(keys.job(id)) : undefined
    if (row === undefined || row.id === command.bulk) continue
    weight += weightOf(row)
    if (isDone(context, command, row.id)) done += 1
    else skipped += 1
    if (weight < BULK_WEIGHT_PER_ENTRY || index === items.length - 1) continue
    return { ...before, done, skipped, cursor: { createdAt: row.createdAt, id: row.id } }
  }
  return { ...before, done, skipped, cursor: next, ended: next === null }
}

function queryOf({ filter, limit }: ActCommand, { cursor }: BulkRow): JobsQuery {
  const count = Math.min(limit ?? BULK_JOBS_PER_ENTRY, BULK_JOBS_PER_ENTRY)
  const place: { readonly before?: JobCursor } = cursor === null ? {} : { before: cursor }
  return { kind: 'jobs', ...filter, ...place, limit: count }
}

/** False: the job is in no state for it, which is for the action to say. */
function isDone(context: EntryContext, { action }: ActCommand, id: string): boolean {
  switch (action) {
    case 'cancel':
      return cancelJob(context, { kind: 'cancel', id, compensate: false }).ok
    case 'retry':
      return retryJob(context, { kind: 'retry', id }).ok
    case 'delete':
      return deleteJob(context, { kind: 'delete-job', id }).ok
  }
}

/** Items are gone through one by one. */
function weightOf({ steps }: JobRow): number {
  return steps.reduce((sum, { fan }) => sum + 1 + (fan?.cursor ?? 0), 0)
}
