import { LineReader } from './line-reader.js'

/**
 * Counts of words per document, as a text file that is merged and searched without being loaded:
 *
 *   {"docs":N}                          one line
 *   ["path",bytes,words]                N lines, document 0 … N−1
 *   word TAB doc:count doc:count …      sorted by word (by UTF-16 unit), documents rising
 */
export interface Doc {
  readonly path: string
  readonly bytes: number
  readonly words: number
}

export function docLine({ path, bytes, words }: Doc): string {
  return `${JSON.stringify([path, bytes, words])}\n`
}

export function parseDoc(line: string): Doc {
  const [path, bytes, words] = JSON.parse(line) as [string, number, number]
  return { path, bytes, words }
}

/** Postings of one word, flat: doc, count, doc, count … */
export type Postings = readonly number[]

export function wordLine(word: string, postings: Postings): string {
  let line = `${word}\t`
  for (let at = 0; at < postings.length; at += 2) {
    line += `${at === 0 ? '' : ' '}${postings[at]}:${postings[at + 1]}`
  }
  return `${line}\n`
}

export function parseWordLine(line: string): {
  readonly word: string
  readonly postings: Postings
} {
  const tab = line.indexOf('\t')
  const postings: number[] = []
  for (const posting of line.slice(tab + 1).split(' ')) {
    const colon = posting.indexOf(':')
    postings.push(Number(posting.slice(0, colon)), Number(posting.slice(colon + 1)))
  }
  return { word: line.slice(0, tab), postings }
}

/** Walks through a part: first its documents, then its words. */
export class PartReader {
  readonly docCount: number
  readonly #lines: LineReader

  private constructor(lines: LineReader, docCount: number) {
    this.#lines = lines
    this.docCount = docCount
  }

  static async open(path: string): Promise<PartReader> {
    const lines = await LineReader.open(path)
    const header = JSON.parse((await lines.next()) ?? '{}') as { docs?: number }
    return new PartReader(lines, header.docs ?? 0)
  }

  /** Call `docCount` times before the first `nextWord`. */
  async nextDoc(): Promise<string> {
    return (await this.#lines.next()) ?? '["",0,0]'
  }

  nextWord(): Promise<string | null> {
    return this.#lines.next()
  }

  close(): Promise<void> {
    return this.#lines.close()
  }
}
