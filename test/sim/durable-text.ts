import type { SimFiles } from './disk.js'

/** The log's sectors open with a stamp of their batch; text runs on behind it. */
const SECTOR_BYTES = 512
const STAMP_BYTES = 4
const LOG_FOLDER = 'log'

/** Looks for text in what a power cut would leave of the log, without the help of the log's own code. */
export class DurableText {
  readonly #files: SimFiles
  /** Per segment: its durable text, and the durable bytes that it was made from. */
  readonly #segments = new Map<
    string,
    { readonly version: number; readonly text: Buffer; from: number }
  >()

  constructor(files: SimFiles) {
    this.#files = files
  }

  holds(text: string): boolean {
    const wanted = Buffer.from(text, 'utf8')
    const paths = this.#files.durablePaths(LOG_FOLDER).reverse()
    return paths.some((path) => this.#holds(path, wanted))
  }

  #holds(path: string, wanted: Buffer): boolean {
    const segment = this.#segment(path)
    const near = Math.max(0, segment.from - wanted.length)
    let at = segment.text.indexOf(wanted, near)
    if (at < 0 && near > 0) at = segment.text.indexOf(wanted)
    if (at < 0) return false
    segment.from = at
    return true
  }

  #segment(path: string): { readonly text: Buffer; from: number } {
    const { bytes, version } = this.#files.durable(path)
    const known = this.#segments.get(path)
    if (known !== undefined && known.version === version) return known
    const segment = { version, text: withoutStamps(bytes), from: known?.from ?? 0 }
    this.#segments.set(path, segment)
    return segment
  }
}

function withoutStamps(bytes: Uint8Array): Buffer {
  const payload = SECTOR_BYTES - STAMP_BYTES
  const text = Buffer.alloc(Math.ceil(bytes.length / SECTOR_BYTES) * payload)
  let to = 0
  for (let from = STAMP_BYTES; from < bytes.length; from += SECTOR_BYTES) {
    text.set(bytes.subarray(from, from + payload), to)
    to += payload
  }
  return text
}
