import { WORD_LENGTH_MAX, WORD_LENGTH_MIN } from './limits.js'

const WORD = /[\p{L}\p{N}]+/gu

/** The words of a text, in order: runs of letters and digits, lower case, of sensible length. */
export function* wordsIn(text: string): Generator<string> {
  for (const [run] of text.matchAll(WORD)) {
    if (run.length < WORD_LENGTH_MIN || run.length > WORD_LENGTH_MAX) continue
    yield run.toLowerCase()
  }
}

const LAST_RUN = /[\p{L}\p{N}]+$/u

/**
 * Splits a text that goes on later into what is complete and the beginning of a word at its end. A
 * run that is too long to be a word is cut, so that a file without spaces does not pile up.
 */
export function splitAtLastWord(text: string): {
  readonly complete: string
  readonly rest: string
} {
  const tail = text.slice(-2 * WORD_LENGTH_MAX)
  const run = LAST_RUN.exec(tail)?.[0] ?? ''
  if (run.length > WORD_LENGTH_MAX) return { complete: text, rest: '' }
  return { complete: text.slice(0, text.length - run.length), rest: run }
}
