import type { Json } from '@gyre/jobs'
import type { RowEntry, Rows } from '../../state/rows.js'
import { JOB_STATUSES, type JobRow } from '../job-row.js'
import { SCAN_PAGE_ROWS } from '../limits.js'
import type { Reply } from '../outcome.js'
import type { JobCursor, JobsQuery } from '../query.js'
import { type JobIndexRow, keys, sortable, sortableAt } from '../rows-layout.js'
import { jobSummary } from '../views/job-view.js'
import { found, type ReadContext } from './found.js'

/**
 * Jobs newest first by (createdAt, id). Each status has its own list, so that a filter by status
 * reads only what it shows; without one the lists are merged. A filter by name reads past the jobs
 * of other names.
 */
export function jobsAnswer({ rows }: ReadContext, query: JobsQuery): Reply {
  const lists = JOB_STATUSES.filter((status) => (query.status ?? status) === status)
  const newest = lists
    .flatMap((status) => newestOf(rows, status, query))
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const items: Json[] = []
  for (const { id } of newest.slice(0, query.limit)) {
    const row = rows.get<JobRow>(keys.job(id))
    if (row !== undefined) items.push(jobSummary(row))
  }
  return found({ items })
}

/** The newest jobs of one status that pass the filters, at most `limit`. */
function newestOf(rows: Rows, status: string, query: JobsQuery): JobCursor[] {
  const prefix = keys.jobsOf(status)
  const from = `${prefix}${sortable(query.createdAfter ?? 0)}`
  let to = endKey(prefix, query)
  const jobs: JobCursor[] = []
  const pageRows = query.job === undefined ? query.limit : SCAN_PAGE_ROWS
  while (jobs.length < query.limit) {
    const page = rows.scan<JobIndexRow>(from, to, pageRows, true)
    for (const entry of page) {
      if (query.job === undefined || entry.value.job === query.job)
        jobs.push(cursorOf(prefix, entry))
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageRows) break
    to = last.key
  }
  return jobs.slice(0, query.limit)
}

/** Rows from here on are too new: behind `createdBefore`, or shown on an earlier page. */
function endKey(prefix: string, { before, createdBefore }: JobsQuery): string {
  const byCursor =
    before === undefined ? undefined : `${prefix}${sortable(before.createdAt)}/${before.id}`
  const byInstant = `${prefix}${sortable(createdBefore ?? Number.MAX_SAFE_INTEGER)}`
  return byCursor !== undefined && byCursor < byInstant ? byCursor : byInstant
}

function cursorOf(prefix: string, { key }: RowEntry<JobIndexRow>): JobCursor {
  return {
    createdAt: sortableAt(key, prefix.length),
    id: key.slice(prefix.length + sortable(0).length + 1),
  }
}
