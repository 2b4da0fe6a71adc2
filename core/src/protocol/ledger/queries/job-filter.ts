import type { Rows } from '../../state/rows.js'
import { JOB_STATUSES, type JobStatus } from '../../../base/job-statuses.js'
import type { JobCursor, JobFilter } from '../query.js'
import { type CountsRow, keys, labelName, placeOf, sortable, sortableAt } from '../rows-layout.js'
import type { ReadContext } from './found.js'
import {
  IndexList,
  type PlaceList,
  type PlaceRange,
  type ReadBudget,
  UnionList,
  upTo,
} from './job-list.js'

/** Which index rows answer a filter, and where in them. */

/** One list for each condition: what matches is in all of them. */
export function listsOf(
  { rows, hash }: ReadContext,
  filter: JobFilter,
  range: PlaceRange,
  budget: ReadBudget,
): PlaceList[] {
  const { labels = {}, job, status } = filter
  const prefixes = Object.entries(labels).map(([key, value]) =>
    keys.jobsLabelled(hash(labelName(key, value))),
  )
  if (job !== undefined) prefixes.push(keys.jobsNamed(job))
  if (status !== undefined) prefixes.push(keys.jobsOf(status))
  const open = (prefix: string): PlaceList => new IndexList(rows, prefix, range, budget)
  if (prefixes.length > 0) return prefixes.map(open)
  return [new UnionList(statusesIn(rows, filter).map((one) => open(keys.jobsOf(one))))]
}

/** Statuses that jobs of this filter may have here: those that the counts know. */
export function statusesIn(rows: Rows, filter: JobFilter): JobStatus[] {
  const counts = countsFor(rows, filter)
  return JOB_STATUSES.filter((status) => {
    return (filter.status ?? status) === status && (counts[status] ?? 0) > 0
  })
}

/** Jobs by status, of the filter's definition if it names one; its other conditions do not matter. */
export function countsFor(rows: Rows, { job }: JobFilter): CountsRow['counts'] {
  const key = job === undefined ? keys.jobCounts : keys.namedCounts(job)
  return rows.get<CountsRow>(key)?.counts ?? {}
}

/** @param before  where a page before this one has ended */
export function rangeOf(
  { createdAfter, createdBefore }: JobFilter,
  before?: JobCursor,
): PlaceRange {
  const from = sortable(createdAfter ?? 0)
  const byInstant = sortable(createdBefore ?? Number.MAX_SAFE_INTEGER)
  if (before === undefined) return { from, to: byInstant }
  const place = placeOf(before.createdAt, before.id)
  const byCursor = before.inclusive === true ? upTo(place) : place
  return { from, to: byCursor < byInstant ? byCursor : byInstant }
}

export function cursorOf(place: string): JobCursor {
  return { createdAt: sortableAt(place, 0), id: place.slice(sortable(0).length + 1) }
}
