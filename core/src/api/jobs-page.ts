import { Type } from '@gyre/jobs/typebox'
import type { CountsPosition, JobCursor, JobFilter, Query } from '../protocol/ledger/query.js'
import type { NodeClient } from '../runtime/node-client.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { COUNT_SLICES_MAX, LIST_SLICES_MAX } from './limits.js'
import { Problem } from './problem.js'
import { successOf } from './send-reply.js'

/**
 * Lists and counts of the jobs of all arcs. The ledger answers in slices of bounded work, so that a
 * filter which matches little holds nobody up; they are put together here.
 */

const Cursor = Type.Object({
  createdAt: Type.Integer(),
  id: Type.String(),
  inclusive: Type.Optional(Type.Literal(true)),
})

interface JobsSlice {
  readonly items: readonly object[]
  readonly next: JobCursor | null
  readonly missing: number
}

interface CountsSlice {
  readonly counts: Readonly<Record<string, number>>
  readonly next: CountsPosition | null
  readonly missing: number
}

/** One page, newest first by (createdAt, id). Shorter than asked for where few of very many match. */
export async function readJobsPage(
  client: NodeClient,
  filter: JobFilter,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<object> {
  const list = { kind: 'jobs', filter }
  const items: object[] = []
  let missing = 0
  let before = page.cursor === undefined ? null : decodeCursor(Cursor, page.cursor, list)
  for (let slice = 0; slice < LIST_SLICES_MAX; slice += 1) {
    const limit = page.limit - items.length
    const start = before === null ? {} : { before }
    const found = await ask<JobsSlice>(client, { kind: 'jobs', ...filter, ...start, limit })
    items.push(...found.items)
    missing = Math.max(missing, found.missing)
    before = found.next
    if (before === null || items.length === page.limit) break
  }
  return {
    items,
    nextCursor: before === null ? null : encodeCursor(before, list),
    ...gaps(missing),
  }
}

/** How many there are, in all and by status. */
export async function countJobs(client: NodeClient, filter: JobFilter): Promise<JobCounts> {
  const byStatus: Record<string, number> = {}
  let total = 0
  let from: CountsPosition | null = null
  for (let slice = 0; slice < COUNT_SLICES_MAX; slice += 1) {
    const start: { from?: CountsPosition } = from === null ? {} : { from }
    const found: CountsSlice = await ask(client, { kind: 'job-counts', ...filter, ...start })
    for (const [status, count] of Object.entries(found.counts)) {
      byStatus[status] = (byStatus[status] ?? 0) + count
      total += count
    }
    from = found.next
    if (from === null) return { total, byStatus, ...gaps(found.missing) }
  }
  throw new Problem('overloaded', 'there is too much to count; count a shorter time, or by status')
}

export interface JobCounts {
  readonly total: number
  readonly byStatus: Readonly<Record<string, number>>
  readonly partial?: true
  readonly missing?: number
}

/** What a list says of arcs that did not answer. */
export function gaps(missing: number): { readonly partial?: true; readonly missing?: number } {
  return missing > 0 ? { partial: true, missing } : {}
}

async function ask<Slice>(client: NodeClient, query: Query): Promise<Slice> {
  return JSON.parse(successOf(await client.queryAll(query)).body ?? '{}')
}
