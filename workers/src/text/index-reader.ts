import { type FileHandle, open } from 'node:fs/promises'
import { giveUp } from '../sdk/index.js'
import { INDEX_TAIL, type IndexSummary } from './index-format.js'
import { BLOCK_BYTES } from './limits.js'
import { type Doc, type Postings, parseDoc, parseWordLine } from './part-file.js'

type Footer = IndexSummary & { readonly offsetsAt: number }

/** Looks words and documents up in an index file by seeking; nothing but the answer is held. */
export class IndexReader {
  readonly summary: IndexSummary
  readonly #file: FileHandle
  readonly #footer: Footer

  private constructor(file: FileHandle, footer: Footer) {
    this.#file = file
    this.#footer = footer
    this.summary = footer
  }

  /** @throws ServiceError `index_unreadable`, not retryable, when there is no whole index there */
  static async open(path: string): Promise<IndexReader> {
    const file = await open(path, 'r').catch(() => null)
    if (file === null) throw unreadable('there is no such file')
    try {
      return new IndexReader(file, await readFooter(file))
    } catch {
      await file.close()
      throw unreadable('it is no index, or not a whole one')
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Binary search over the sorted lines by byte offset. */
  async find(word: string): Promise<Postings> {
    let { wordsAt: low, wordsEnd: high } = this.#footer
    // Invariant: the line looked for, if any, begins in low … high − 1, and low is a line's begin.
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const start = middle === low ? low : await this.#nextLineStart(middle, high)
      const begin = start < high ? start : low
      const { line, next } = await this.#lineAt(begin)
      const found = parseWord(line)
      if (found === word) return parseWordLine(line).postings
      if (found < word) low = next
      else if (begin === low) return []
      // A line that begins at `middle` itself has not been looked at.
      else high = middle + 1
    }
    return []
  }

  async doc(number: number): Promise<Doc> {
    const width = INDEX_TAIL.offsetDigits + 1
    const at = this.#footer.offsetsAt + number * width
    const offset = Number((await read(this.#file, at, width)).toString('latin1'))
    return parseDoc((await this.#lineAt(offset)).line)
  }

  /** Where the first line behind `from` begins; `limit` when there is none before it. */
  async #nextLineStart(from: number, limit: number): Promise<number> {
    for (let at = from; at < limit; ) {
      const block = await read(this.#file, at, Math.min(SEEK_BYTES, limit - at))
      const end = block.indexOf(0x0a)
      if (end >= 0) return at + end + 1
      at += block.length
      if (block.length === 0) break
    }
    return limit
  }

  async #lineAt(start: number): Promise<{ readonly line: string; readonly next: number }> {
    const blocks: Buffer[] = []
    let bytes = 0
    for (let size = SEEK_BYTES; ; size = BLOCK_BYTES) {
      const block = await read(this.#file, start + bytes, size)
      const end = block.indexOf(0x0a)
      if (end >= 0 || block.length === 0) {
        blocks.push(block.subarray(0, Math.max(0, end)))
        const line = Buffer.concat(blocks).toString('utf8')
        return { line, next: start + bytes + Math.max(0, end) + 1 }
      }
      blocks.push(block)
      bytes += block.length
    }
  }
}

/** Most lines are short: a look at one costs one small read. */
const SEEK_BYTES = 4096

async function readFooter(file: FileHandle): Promise<Footer> {
  const { size } = await file.stat()
  const width = INDEX_TAIL.lengthDigits + 1
  const length = Number((await read(file, size - width, width)).toString('latin1'))
  const footer = JSON.parse((await read(file, size - width - length, length)).toString('utf8'))
  if (footer.format !== 'gyre-text-index-1') throw new Error('another format')
  return footer as Footer
}

async function read(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, at)
  return buffer.subarray(0, bytesRead)
}

function parseWord(line: string): string {
  const tab = line.indexOf('\t')
  return tab < 0 ? line : line.slice(0, tab)
}

function unreadable(what: string): Error {
  return giveUp('index_unreadable', `the index cannot be read: ${what}; run text-index first`)
}
