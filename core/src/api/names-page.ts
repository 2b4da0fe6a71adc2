import { Type } from '@gyre/jobs/typebox'
import { decodeCursor, encodeCursor } from './cursor.js'
import { PAGE_LIMIT_DEFAULT } from './limits.js'

const Cursor = Type.Object({ after: Type.String() })

export interface NamesPage<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/**
 * One page of what this node knows by name. The cursor is the last name told, so a page goes on
 * behind it also when names came or went meanwhile.
 *
 * @param items  in the order of their names
 * @param list  which list it is
 * @throws Problem `invalid_cursor`
 */
export function pageOfNames<T extends { readonly name: string }>(
  items: readonly T[],
  query: { readonly limit?: number; readonly cursor?: string },
  list: object,
): NamesPage<T> {
  const { limit = PAGE_LIMIT_DEFAULT, cursor } = query
  const after = cursor === undefined ? '' : decodeCursor(Cursor, cursor, list).after
  const rest = items.filter(({ name }) => name > after)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const more = rest.length > page.length && last !== undefined
  return { items: page, nextCursor: more ? encodeCursor({ after: last.name }, list) : null }
}
