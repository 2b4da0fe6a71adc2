import type { Json } from './json.js'

/**
 * JSON pointers (RFC 6901). Look-ups see own members only, so that no pointer reaches a prototype
 * (`/input/constructor`, `/input/__proto__`) or a string's length.
 */

/** Array indexes have no sign, no leading zero, and `-` (behind the end) leads nowhere. */
const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/
const BAD_ESCAPE = /~(?![01])/

/** @returns the reference tokens, unescaped; null when the text is not a pointer */
export function parsePointer(pointer: string): readonly string[] | null {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) return null
  if (pointer.includes('~') && BAD_ESCAPE.test(pointer)) return null
  return pointer.slice(1).split('/').map(unescapeToken)
}

/** The pointer that `parsePointer` takes apart into these tokens. */
export function formatPointer(tokens: readonly string[]): string {
  let pointer = ''
  for (const token of tokens) pointer += `/${escapeToken(token)}`
  return pointer
}

/** @returns undefined when the pointer leads nowhere (JSON itself has no undefined) */
export function getAt(root: unknown, tokens: readonly string[]): Json | undefined {
  let value: unknown = root
  for (const token of tokens) {
    value = memberOf(value, token)
    if (value === undefined) return undefined
  }
  return value as Json | undefined
}

function memberOf(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return ARRAY_INDEX.test(token) ? value[Number(token)] : undefined
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined
  return (value as Readonly<Record<string, unknown>>)[token]
}

/** Hardly any token needs it, and looking costs less than replacing nothing. */
function escapeToken(token: string): string {
  if (!token.includes('~') && !token.includes('/')) return token
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** `~1` before `~0`, so that `~01` gives `~1`. */
function unescapeToken(token: string): string {
  if (!token.includes('~')) return token
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
