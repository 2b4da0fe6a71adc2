import type { Json } from '@gyre/jobs'
import { canonicalJson } from '../../base/canonical-json.js'

/** Equal for equal JSON values, and never an object. */
export type JsonKey = string | number | boolean | null

/** Objects and arrays as their text; texts as JSON, so that they are not taken for one. */
export function jsonKey(value: Json): JsonKey {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' && value !== null ? canonicalJson(value) : value
}

export function isKeyOfObject(key: JsonKey): boolean {
  return typeof key === 'string' && !key.startsWith('"')
}

/** Looks no deeper than the first difference. */
export function isEqualJson(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  // An array's members are its indexes.
  const [mine, others] = [Object.entries(a), new Map(Object.entries(b))]
  if (mine.length !== others.size) return false
  return mine.every(([name, member]) => {
    const other = others.get(name)
    return other !== undefined && isEqualJson(member, other)
  })
}
