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
