import { type FileHandle, open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { BLOCK_BYTES } from './limits.js'

/** Reads a file line by line, a block at a time; lines may be longer than a block. */
export class LineReader {
  readonly #file: FileHandle
  readonly #decoder = new StringDecoder('utf8')
  readonly #block = Buffer.alloc(BLOCK_BYTES)
  #text = ''
  #at = 0
  #ended = false

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<LineReader> {
    return new LineReader(await open(path, 'r'))
  }

  /** The next line without its end, or null; the last line needs its newline. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#at)
      if (end >= 0) {
        const line = this.#text.slice(this.#at, end)
        this.#at = end + 1
        return line
      }
      if (this.#ended) return null
      await this.#fill()
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #fill(): Promise<void> {
    const { bytesRead } = await this.#file.read(this.#block, 0, BLOCK_BYTES)
    if (bytesRead === 0) this.#ended = true
    const more = this.#decoder.write(this.#block.subarray(0, bytesRead))
    this.#text = this.#text.slice(this.#at) + more
    this.#at = 0
  }
}

/** Writes text in blocks and knows how many bytes were written. */
export class BlockWriter {
  readonly #file: FileHandle
  #pending: string[] = []
  #pendingChars = 0
  #bytes = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async create(path: string): Promise<BlockWriter> {
    return new BlockWriter(await open(path, 'w'))
  }

  /** Bytes so far, counting what is not yet on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** True when `flush` is due; kept apart so that most lines cost no promise. */
  get isFull(): boolean {
    return this.#pendingChars >= BLOCK_BYTES
  }

  write(text: string): void {
    this.#pending.push(text)
    this.#pendingChars += text.length
    this.#bytes += Buffer.byteLength(text)
  }

  async flush(): Promise<void> {
    const text = this.#pending.join('')
    this.#pending = []
    this.#pendingChars = 0
    if (text !== '') await this.#file.appendFile(text)
  }

  /** After this the content survives a power cut. */
  async finish(): Promise<void> {
    await this.flush()
    await this.#file.datasync()
    await this.#file.close()
  }

  /** Closes without finishing; the file is a draft that nobody will publish. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }
}
