import type { Json } from '@gyre/jobs'

/**
 * What is left of `chars` behind a value's JSON text, about; less than 0: it has more. Looks at no more of
 * it than that.
 */
export function charsLeft(value: Json | object | undefined, chars: number): number {
  if (typeof value === 'string') return chars - value.length - QUOTES_CHARS
  if (typeof value !== 'object' || value === null) return chars - SCALAR_CHARS
  let left = chars
  const members = value as Readonly<Record<string, Json>>
  for (const name in members) {
    left = charsLeft(members[name], left - name.length - QUOTES_CHARS)
    if (left < 0) break
  }
  return left
}

/** Two quotes, and what parts it from the next. */
const QUOTES_CHARS = 3

/** More than most numbers and words have. */
const SCALAR_CHARS = 5
