import { docLine, wordLine } from './part-file.js'
import { splitAtLastWord, wordsIn } from './words.js'

/** Word counts of the documents of one chunk; a chunk is small enough to be counted in memory. */
export class ChunkCounts {
  readonly #postings = new Map<string, number[]>()
  readonly #docLines: string[] = []
  #doc = new Map<string, number>()
  #docWords = 0
  #rest = ''
  #bytes = 0

  get docCount(): number {
    return this.#docLines.length
  }

  get bytes(): number {
    return this.#bytes
  }

  beginDoc(): void {
    this.#doc = new Map()
    this.#docWords = 0
    this.#rest = ''
  }

  /** The next piece of the document's text; a word may go on in the piece after it. */
  add(text: string): void {
    const { complete, rest } = splitAtLastWord(this.#rest + text)
    this.#rest = rest
    this.#countWords(complete)
  }

  endDoc(path: string, bytes: number): void {
    this.#countWords(this.#rest)
    const number = this.#docLines.length
    for (const [word, count] of this.#doc) {
      const postings = this.#postings.get(word)
      if (postings === undefined) this.#postings.set(word, [number, count])
      else postings.push(number, count)
    }
    this.#docLines.push(docLine({ path, bytes, words: this.#docWords }))
    this.#bytes += bytes
  }

  /** The document turned out to be none: nothing of it counts. */
  dropDoc(): void {
    this.beginDoc()
  }

  /** The part file's text (part-file.ts). Equal documents give equal text. */
  toText(): string {
    const lines = [`{"docs":${this.#docLines.length}}\n`, ...this.#docLines]
    for (const word of [...this.#postings.keys()].sort()) {
      lines.push(wordLine(word, this.#postings.get(word) ?? []))
    }
    return lines.join('')
  }

  #countWords(text: string): void {
    for (const word of wordsIn(text)) {
      this.#doc.set(word, (this.#doc.get(word) ?? 0) + 1)
      this.#docWords += 1
    }
  }
}
