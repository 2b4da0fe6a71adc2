import { TOP_WORDS } from './limits.js'
import type { Doc, Postings } from './part-file.js'

/**
 * An index is a part (part-file.ts) with a tail that makes it searchable by seeking:
 *
 *   offset of document 0 … N−1     one line each, fixed width
 *   footer                         one line of JSON: IndexSummary and `offsetsAt`
 *   length of the footer           fixed width
 */
export const INDEX_TAIL = { offsetDigits: 15, lengthDigits: 15 } as const

export interface TopWord {
  readonly word: string
  readonly count: number
}

export interface IndexSummary {
  readonly format: 'gyre-text-index-1'
  readonly files: number
  readonly bytes: number
  /** Words in all, and different ones. */
  readonly words: number
  readonly terms: number
  readonly top: readonly TopWord[]
  /** Byte offsets of the section of words. */
  readonly wordsAt: number
  readonly wordsEnd: number
}

/** Adds up while an index is written. */
export class IndexTotals {
  readonly docOffsets: number[] = []
  wordsAt = 0
  wordsEnd = 0
  #bytes = 0
  #words = 0
  #terms = 0
  #top: TopWord[] = []

  addDoc(doc: Doc, offset: number): void {
    this.docOffsets.push(offset)
    this.#bytes += doc.bytes
    this.#words += doc.words
  }

  addWord(word: string, postings: Postings): void {
    this.#terms += 1
    let count = 0
    for (let at = 1; at < postings.length; at += 2) count += postings[at] ?? 0
    const last = this.#top.at(-1)
    if (this.#top.length === TOP_WORDS && last !== undefined && count <= last.count) return
    // Words arrive sorted, so equal counts keep the order of their words.
    this.#top = [...this.#top, { word, count }]
      .sort((a, b) => b.count - a.count)
      .slice(0, TOP_WORDS)
  }

  get summary(): IndexSummary {
    return {
      format: 'gyre-text-index-1',
      files: this.docOffsets.length,
      bytes: this.#bytes,
      words: this.#words,
      terms: this.#terms,
      top: this.#top,
      wordsAt: this.wordsAt,
      wordsEnd: this.wordsEnd,
    }
  }
}
