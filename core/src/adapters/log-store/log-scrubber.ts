import { FileError, type Files } from '../../ports/files.js'
import type { LogRot, LogScrubSlice } from '../../ports/log-store.js'
import { BLOCK_BYTES, type Head, segmentName } from './format.js'
import { type Part, SegmentCheck } from './segment-check.js'
import { shortageOf } from './shortage.js'

/** Segments that nothing is written to any more and that are still needed: from … to, `to` excluded. */
export interface ClosedSegments {
  readonly from: number
  readonly to: number
}

export interface LogScrubberOptions {
  readonly files: Files
  readonly closed: () => ClosedSegments
  readonly path: (segment: number) => string
  readonly bytesOf: (segment: number) => number
  /** Segments that were found damaged already. */
  readonly isKnown: (segment: number) => boolean
}

/**
 * Goes over the closed segments of a log again and again, a piece at a time, and says what has rotted.
 * It reads from the disk and changes nothing; what follows from damage is for the log store.
 */
export class LogScrubber {
  readonly #options: LogScrubberOptions
  /** The next segment of this pass. */
  #next = 0
  #check: SegmentCheck | null = null
  /** The last batch of segment `#next - 1`; null where that is not known. */
  #before: Head | null = null

  constructor(options: LogScrubberOptions) {
    this.#options = options
  }

  /** Reads the next piece in the background; `ready` gets what verifies it, in a later turn. */
  next(ready: (verify: () => LogScrubSlice) => void): void {
    const check = this.#check ?? this.#begin()
    const wanted = check?.wanted ?? null
    if (check === null || wanted === null) return this.#endPass(ready)
    this.#check = check
    const { files, path } = this.#options
    const { segment, block, blocks } = wanted
    const part = [block * BLOCK_BYTES, blocks * BLOCK_BYTES] as const
    files.readFromDisk(path(segment), ...part, (error, content) => {
      ready(() => this.#verify(check, wanted, error ?? content))
    })
  }

  #begin(): SegmentCheck | null {
    const { closed, bytesOf, isKnown } = this.#options
    const { from, to } = closed()
    if (this.#next < from) this.#before = null
    this.#next = Math.max(this.#next, from)
    while (this.#next < to && isKnown(this.#next)) {
      this.#next += 1
      this.#before = null
    }
    if (this.#next >= to) return null
    const blockCount = Math.floor(bytesOf(this.#next) / BLOCK_BYTES)
    return new SegmentCheck(this.#next, blockCount, this.#before)
  }

  #endPass(ready: (verify: () => LogScrubSlice) => void): void {
    this.#next = 0
    this.#before = null
    ready(() => ({ segments: 0, bytes: 0, isPassOver: true, rot: null }))
  }

  #verify(check: SegmentCheck, wanted: Part, found: FileError | Uint8Array): LogScrubSlice {
    // Given up while it was read: whatever stands there, nobody needs it.
    if (check.number < this.#options.closed().from) return this.#endSegment(0, null)
    if (found instanceof FileError && shortageOf(found) !== null) return going(0)
    // What the next segment lacks is found with that one.
    if (found instanceof FileError && wanted.segment === check.number) {
      return this.#endSegment(0, rotOf(check, wanted.block, `it cannot be read (${found.code})`))
    }
    const content = found instanceof FileError ? NOTHING : found
    check.take(Buffer.from(content.buffer, content.byteOffset, content.byteLength))
    if (check.wanted !== null) return going(content.length)
    const { rot, end } = check
    const told = rot === null ? null : rotOf(check, rot.block, rot.what)
    return this.#endSegment(content.length, told, end)
  }

  #endSegment(bytes: number, rot: LogRot | null, end: Head | null = null): LogScrubSlice {
    this.#check = null
    this.#next += 1
    this.#before = end
    return { segments: 1, bytes, isPassOver: false, rot }
  }
}

const NOTHING = new Uint8Array(0)

function rotOf({ number }: SegmentCheck, block: number, what: string): LogRot {
  const segment = segmentName(number)
  return { number, message: `log segment ${segment}, offset ${block * BLOCK_BYTES}: ${what}` }
}

function going(bytes: number): LogScrubSlice {
  return { segments: 0, bytes, isPassOver: false, rot: null }
}
