import type { JsonObject } from '@gyre/jobs'
import { assert } from '../../../base/assert.js'
import type { JobRow } from '../job-row.js'
import { LIST_ROWS_MAX } from '../limits.js'
import type { JobCursor, JobsQuery } from '../query.js'
import { keys } from '../rows-layout.js'
import { jobSummary } from '../views/job-view.js'
import type { ReadContext } from './found.js'
import { cursorOf, listsOf, rangeOf } from './job-filter.js'
import { Intersection, ReadBudget } from './job-list.js'

export interface JobsPage {
  readonly items: readonly JsonObject[]
  /** Where the list goes on; null: it is at its end. */
  readonly next: JobCursor | null
}

/**
 * A page of the jobs of some arcs, newest first by (createdAt, id). Each arc looks for its matches
 * lazily, and always the arc that may have the newest one goes on.
 *
 * A page ends early when as many index rows were read as one query may: then `next` says how far it
 * came, which may be with no match at all.
 */
export function jobsPage(
  arcs: readonly ReadContext[],
  query: JobsQuery,
  rowsMax = LIST_ROWS_MAX,
): JobsPage {
  const budget = new ReadBudget()
  const walks = openWalks(arcs, query, budget)
  budget.allow(rowsMax)
  const items: JsonObject[] = []
  let last: JobCursor | null = null
  for (;;) {
    const walk = walks.shift()
    if (walk === undefined) return { items, next: null }
    const { search, context } = walk
    const place = frontierOf(walk)
    // A full page looks for one more match, so that the last page knows that it is the last.
    if (search.isMatch && items.length === query.limit) return { items, next: last }
    if (budget.isSpent) return { items, next: { ...cursorOf(place), inclusive: true } }
    if (search.isMatch) {
      last = cursorOf(place)
      const row = context.rows.get<JobRow>(keys.job(last.id))
      if (row !== undefined) items.push(jobSummary(row))
    }
    search.step()
    if (search.frontier !== null) insert(walks, walk)
  }
}

interface Walk {
  readonly context: ReadContext
  readonly search: Intersection
}

/** The arcs that may have matches, the one with the newest frontier first. */
function openWalks(arcs: readonly ReadContext[], query: JobsQuery, budget: ReadBudget): Walk[] {
  const range = rangeOf(query, query.before)
  const walks = arcs.map((context) => {
    return { context, search: new Intersection(listsOf(context, query, range, budget)) }
  })
  const open = walks.filter(({ search }) => search.frontier !== null)
  return open.sort((a, b) => (frontierOf(a) > frontierOf(b) ? -1 : 1))
}

/** Keeps the order; no two arcs have the same place. */
function insert(walks: Walk[], walk: Walk): void {
  const frontier = frontierOf(walk)
  let low = 0
  let high = walks.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = walks[middle]
    if (other !== undefined && frontierOf(other) > frontier) low = middle + 1
    else high = middle
  }
  walks.splice(low, 0, walk)
}

function frontierOf({ search }: Walk): string {
  assert(search.frontier !== null, 'a walk at its end is not kept')
  return search.frontier
}
