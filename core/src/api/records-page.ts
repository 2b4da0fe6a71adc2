import { Type } from '@gyre/jobs/typebox'
import { arcOf } from '../base/ids.js'
import type { NodeClient } from '../runtime/node-client.js'
import { decodeCursor, encodeCursor } from './cursor.js'
import { gaps } from './jobs-page.js'
import { mergeArcs } from './merge-arcs.js'
import { successOf } from './send-reply.js'

/** One page of the records of all arcs, in UTF-8 byte order of their keys; not a snapshot. */

const Cursor = Type.Object({ after: Type.String() })

interface RecordItem {
  readonly key: string
  readonly id: string
}

interface AllArcs {
  readonly bodies: readonly { readonly items: readonly RecordItem[] }[]
  readonly missing: number
}

export async function readRecordsPage(
  client: NodeClient,
  prefix: string,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<object> {
  const list = { kind: 'records', prefix }
  const start = page.cursor === undefined ? {} : decodeCursor(Cursor, page.cursor, list)
  const merged = await mergeArcs<RecordItem>(
    {
      arcCount: client.identity.arcCount,
      first: async (limit) => {
        const reply = await client.queryAll({ kind: 'records', prefix, ...start, limit })
        const { bodies, missing }: AllArcs = JSON.parse(successOf(reply).body ?? '{}')
        return { pages: bodies.map(({ items }) => items), missing }
      },
      behind: async ({ id, key: after }, limit) => {
        const arc = arcOf(id, client.identity.arcCount)
        const reply = await client.query(arc, { kind: 'records', prefix, after, limit })
        return reply.ok ? itemsOf(reply.body) : null
      },
      compare: (a, b) => compareUtf8(a.key, b.key),
    },
    page.limit,
  )
  const { items, more, missing } = merged
  const last = items.at(-1)
  const nextCursor = more && last !== undefined ? encodeCursor({ after: last.key }, list) : null
  return { items, nextCursor, ...gaps(missing) }
}

function itemsOf(body: string | undefined): readonly RecordItem[] {
  const { items }: { items: readonly RecordItem[] } = JSON.parse(body ?? '{"items":[]}')
  return items
}

/** Code units order strings otherwise where surrogates meet U+E000 … U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
