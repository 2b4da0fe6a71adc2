import type { ListBody } from './api-shapes.js'
import type { CommandContext } from './command-context.js'

/** The most that one page of the API holds. */
const PAGE_LIMIT = 1000

export interface PageOptions {
  /** How many items in all, ≥ 1. */
  readonly limit: number
  readonly query?: Readonly<Record<string, string | number | undefined>>
}

/** Reads pages of a list until there are `limit` items or no more; says on stderr what is missing. */
export async function readPages<T>(
  { client, output }: CommandContext,
  path: string,
  options: PageOptions,
): Promise<ListBody<T>> {
  const items: T[] = []
  let cursor: string | undefined
  let missing = 0
  let dropped: number | undefined
  for (;;) {
    const limit = Math.min(options.limit - items.length, PAGE_LIMIT)
    const query = { ...options.query, limit, cursor }
    const { body } = await client.call<ListBody<T>>('GET', path, { query })
    items.push(...body.items)
    missing = Math.max(missing, body.missing ?? 0)
    dropped = body.dropped
    cursor = body.nextCursor ?? undefined
    if (cursor === undefined || items.length >= options.limit) break
  }
  if (missing > 0) output.note(`The list is not complete: ${missing} arcs did not answer.`)
  const partial = missing > 0 ? { partial: true, missing } : {}
  const gone = dropped === undefined ? {} : { dropped }
  return { items, nextCursor: cursor ?? null, ...partial, ...gone }
}
