import { JOB_STATUSES, type JobStatus } from '../../../base/job-statuses.js'
import { COUNT_ROWS_MAX } from '../limits.js'
import type { CountsPosition, JobCountsQuery } from '../query.js'
import type { ReadContext } from './found.js'
import { countsFor, cursorOf, listsOf, rangeOf, statusesIn } from './job-filter.js'
import { Intersection, ReadBudget } from './job-list.js'

export interface JobCounts {
  /** Jobs by status, as far as this query came. */
  readonly counts: Readonly<Record<string, number>>
  /** Where counting goes on; null: everything is counted. */
  readonly next: CountsPosition | null
}

/**
 * Counts the jobs of some arcs that match a filter. By status and definition there are counters; for
 * other conditions index rows are counted, arc by arc and status by status, so many a query.
 *
 * @param arcs  in order of arcs; the same for each query of one count
 */
export function jobCounts(
  arcs: readonly ReadContext[],
  query: JobCountsQuery,
  rowsMax = COUNT_ROWS_MAX,
): JobCounts {
  const counts: Record<string, number> = {}
  const budget = new ReadBudget()
  budget.allow(rowsMax)
  for (const part of partsFrom(arcs, query)) {
    const { count, left } = countPart(part, query, budget)
    if (count > 0) counts[part.status] = (counts[part.status] ?? 0) + count
    if (left !== null) return { counts, next: left }
  }
  return { counts, next: null }
}

/** The jobs of one status in one arc. */
interface Part {
  readonly arc: number
  readonly context: ReadContext
  readonly status: JobStatus
}

function* partsFrom(arcs: readonly ReadContext[], query: JobCountsQuery): Generator<Part> {
  const { from } = query
  for (const [arc, context] of arcs.entries()) {
    if (from !== undefined && arc < from.arc) continue
    const first = from?.arc === arc ? orderOf(from.status) : 0
    for (const status of statusesIn(context.rows, query)) {
      if (orderOf(status) >= first) yield { arc, context, status }
    }
  }
}

function orderOf(status: string): number {
  return JOB_STATUSES.findIndex((one) => one === status)
}

function countPart(
  { arc, context, status }: Part,
  query: JobCountsQuery,
  budget: ReadBudget,
): { readonly count: number; readonly left: CountsPosition | null } {
  const { from, labels = {}, createdAfter, createdBefore } = query
  if (Object.keys(labels).length === 0 && createdAfter === undefined && createdBefore === undefined)
    return { count: countsFor(context.rows, query)[status] ?? 0, left: null }
  const before = from?.arc === arc && from.status === status ? from.before : undefined
  const range = rangeOf(query, before)
  const search = new Intersection(listsOf(context, { ...query, status }, range, budget))
  let count = 0
  for (let place = search.frontier; place !== null; place = search.frontier) {
    if (search.isMatch) count += 1
    search.step()
    const { frontier } = search
    if (frontier === null || !budget.isSpent) continue
    return { count, left: { arc, status, before: { ...cursorOf(frontier), inclusive: true } } }
  }
  return { count, left: null }
}
