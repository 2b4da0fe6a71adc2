import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { Problem } from './problem.js'

/** Where a list goes on: opaque to clients, base64url of JSON. */

export function encodeCursor(position: object): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws Problem `invalid_cursor` when it is not one that this list gave out */
export function decodeCursor<T extends TSchema>(schema: T, cursor: string): Static<T> {
  const value = parse(cursor)
  if (Value.Check(schema, value)) return value
  throw new Problem(
    'invalid_cursor',
    'the cursor is not one that this list gave out; start without a cursor',
    { at: '/cursor' },
  )
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
