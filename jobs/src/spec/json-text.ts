import { JSON_DEPTH_MAX, VALUE_BYTES_MAX } from './limits.js'
import { isLongerThan } from './text-size.js'

/**
 * Taken before any plugin is loaded: one that replaces it must not get other than JSON into the log.
 */
const { stringify } = JSON

export type JsonText =
  | { readonly ok: true; readonly text: string }
  /** `message` goes on from "the value". */
  | { readonly ok: false; readonly isTooLarge: boolean; readonly message: string }

/**
 * Any value as the JSON text that is stored: at most VALUE_BYTES_MAX bytes and JSON_DEPTH_MAX deep. The
 * value is a stranger's: each look at it may throw (getters, proxies, `toJSON`).
 */
export function jsonText(value: unknown): JsonText {
  let text: string | undefined
  try {
    text = stringify(value)
  } catch (error) {
    // A string longer than the engine allows is the one failure that means "too much".
    const cause = causeText(error)
    if (/^Invalid string length/i.test(cause)) return TOO_LARGE
    return refused(`is not JSON (${cause}); give plain data`)
  }
  if (text === undefined) {
    return refused(`is ${kindOf(value)}, which JSON cannot carry; give plain data`)
  }
  if (isLongerThan(text, VALUE_BYTES_MAX)) return TOO_LARGE
  if (isTooDeep(text)) {
    return refused(`is nested more than ${JSON_DEPTH_MAX} deep; give flatter data`)
  }
  if (hasProtoMember(text)) {
    return refused('has a member __proto__, which is not accepted; rename it')
  }
  return { ok: true, text }
}

const TOO_LARGE: JsonText = {
  ok: false,
  isTooLarge: true,
  message:
    `is larger than ${VALUE_BYTES_MAX} bytes of JSON; ` +
    'write it somewhere (a file, a store) and give where it is',
}

function refused(message: string): JsonText {
  return { ok: false, isTooLarge: false, message }
}

function kindOf(value: unknown): string {
  return value === undefined ? 'undefined' : `a ${typeof value}`
}

function causeText(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error)
  } catch {
    return 'it cannot be read'
  }
}

/**
 * Stored under this name, a value would become another's prototype; bodies may not have it either.
 * In what JSON.stringify wrote, a quote behind a brace or comma begins a name or a value, never stands
 * inside a text.
 */
function hasProtoMember(json: string): boolean {
  return json.includes('{"__proto__":') || json.includes(',"__proto__":')
}

/**
 * True of JSON nested deeper than values may be. Counts brackets outside strings, so that no recursion is
 * needed to find recursion.
 */
export function isTooDeep(json: string): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at]
    if (inString) {
      if (char === '\\') at += 1
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') {
      depth += 1
      if (depth > JSON_DEPTH_MAX) return true
    } else if (char === '}' || char === ']') depth -= 1
  }
  return false
}
