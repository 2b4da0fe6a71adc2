import { Type } from 'typebox'
import { arcOf } from '../base/ids.js'
import type { JobsQuery } from '../protocol/ledger/query.js'
import type { NodeClient } from '../runtime/node-client.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { type MergedPage, mergeArcs } from './merge-arcs.js'

/** One page of the jobs of all arcs, newest first by (createdAt, id). */

const Cursor = Type.Object({ createdAt: Type.Integer(), id: Type.String() })

/** What is read of a job here; the rest is passed on. */
interface JobItem {
  readonly id: string
  readonly createdAt: string
}

export type JobFilter = Omit<JobsQuery, 'kind' | 'limit' | 'before'>

export async function readJobsPage(
  client: NodeClient,
  filter: JobFilter,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<object> {
  const { cursor, limit } = page
  const start = cursor === undefined ? {} : { before: decodeCursor(Cursor, cursor) }
  const merged = await mergeArcs<JobItem>(
    {
      arcCount: client.identity.arcCount,
      first: async (pageSize) => {
        const query = { kind: 'jobs', ...filter, ...start, limit: pageSize } as const
        const { replies, missing } = await client.queryAll(query)
        return { pages: replies.map((reply) => (reply.ok ? itemsOf(reply.body) : [])), missing }
      },
      behind: async (last, pageSize) => {
        const arc = arcOf(last.id, client.identity.arcCount)
        const before = positionOf(last)
        const reply = await client.query(arc, { kind: 'jobs', ...filter, before, limit: pageSize })
        return reply.ok ? itemsOf(reply.body) : null
      },
      compare: newestFirst,
    },
    limit,
  )
  return pageBody(merged, positionOf)
}

/** A merged page as clients see it. */
export function pageBody<T>(merged: MergedPage<T>, positionOf: (item: T) => object): object {
  const last = merged.items.at(-1)
  return {
    items: merged.items,
    nextCursor: merged.more && last !== undefined ? encodeCursor(positionOf(last)) : null,
    ...(merged.missing > 0 ? { partial: true, missing: merged.missing } : {}),
  }
}

function itemsOf(body: string | undefined): readonly JobItem[] {
  const { items }: { items: readonly JobItem[] } = JSON.parse(body ?? '{"items":[]}')
  return items
}

function positionOf(item: JobItem): { createdAt: number; id: string } {
  return { createdAt: Date.parse(item.createdAt), id: item.id }
}

/** RFC 3339 in UTC with milliseconds sorts as text. */
function newestFirst(a: JobItem, b: JobItem): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1
  return a.id > b.id ? -1 : 1
}
