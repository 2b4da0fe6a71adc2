import { type Static, type TSchema, Type, Value } from '@gyre/jobs/typebox'
import { canonicalJson } from '../base/canonical-json.js'
import { hashId } from './hash-id.js'
import { Problem } from './problem.js'

/** Where a list goes on: opaque to clients, base64url of JSON. */

/** @param list  which list it is, filters included: only there does the cursor mean anything */
export function encodeCursor(position: object, list: object): string {
  return Buffer.from(JSON.stringify({ ...position, of: tagOf(list) })).toString('base64url')
}

/**
 * @param list  as for `encodeCursor`
 * @throws Problem `invalid_cursor` when it is not one that this list gave out
 */
export function decodeCursor<T extends TSchema>(
  schema: T,
  cursor: string,
  list: object,
): Static<T> {
  const value = parse(cursor)
  const isOurs = Value.Check(Tagged, value) && value.of === tagOf(list)
  if (isOurs && Value.Check(schema, value)) return value
  throw new Problem(
    'invalid_cursor',
    'the cursor is not one that this list gave out for these filters; start without a cursor',
    { at: '/cursor' },
  )
}

const Tagged = Type.Object({ of: Type.String() })

/** Characters of it: enough that no list is taken for another by accident. */
const TAG_LENGTH = 12

function tagOf(list: object): string {
  return hashId('cursor', canonicalJson(list)).slice(0, TAG_LENGTH)
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
