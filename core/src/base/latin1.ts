/**
 * Whether a text has only the characters U+0000 … U+00FF. Among such texts the order of code units,
 * of bytes and of SQLite is the same.
 */
export function isLatin1(text: string): boolean {
  return !BEYOND_LATIN1.test(text)
}

const BEYOND_LATIN1 = /[\u0100-\uffff]/
