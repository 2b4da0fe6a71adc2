import { assert } from '../../base/assert.js'
import type { Clock } from '../../ports/clock.js'
import { type AppendFile, type FileError, type Files, fileFailureOf } from '../../ports/files.js'
import type { LogStats } from '../../ports/log-store.js'
import { asideName, isAside, SPARE_IN_MAKING, segmentName } from './format.js'
import { SET_ASIDE_MAX } from './limits.js'
import { type Shortage, shortageOf, warningOf } from './shortage.js'

export interface ShelfOptions {
  readonly files: Files
  readonly folder: string
  readonly segmentBytes: number
  readonly alarm: Clock['alarm']
  readonly warn: (message: string) => void
}

/**
 * The segment files: makes one spare ahead, removes what is not needed any more. A full disk, and a
 * process without free file descriptors, are met here: segments are written only after all their
 * blocks exist, through a file that is open.
 *
 * S1: a file gets a segment's name only after its zeroes are durable.
 * S2: segments are removed, or set aside, oldest first, each durably before the next: those left have
 *     no gap.
 */
export class SegmentShelf {
  readonly #options: ShelfOptions
  /** Number → bytes of each segment, spares included, ascending. */
  readonly #sizes: Map<number, number>
  /** Highest segment that is or was written to. */
  #current: number
  /** Open already: the change to it needs nothing that could be lacking then. */
  #spareFile: AppendFile | null = null
  #isPreparing = false
  #shortage: Shortage | null = null
  #isClosed = false
  #cancelRetry: (() => void) | null = null
  #whenReady: (() => void) | null = null
  #onFailure: (error: FileError) => void = () => {}

  constructor(options: ShelfOptions, sizes: ReadonlyMap<number, number>, current: number) {
    this.#options = options
    this.#sizes = new Map(sizes)
    this.#current = current
  }

  /** Why there is no spare; null: there is one, or it is being made. */
  get shortage(): string | null {
    return this.#shortage?.what ?? null
  }

  /** What is lacking, and whether a batch waits for it. */
  get room(): Pick<LogStats, 'shortage' | 'waitsForRoom'> {
    return { shortage: this.shortage, waitsForRoom: this.#whenReady !== null && !!this.#shortage }
  }

  get isSpareReady(): boolean {
    return this.#spareFile !== null
  }

  get count(): number {
    return this.#sizes.size
  }

  /** Bytes of the segments that hold batches, from one on. */
  usedBytesFrom(oldest: number): number {
    let bytes = 0
    for (const [number, size] of this.#sizes) {
      if (number >= oldest && number <= this.#current) bytes += size
    }
    return bytes
  }

  /** Who is told of a failure in the background; set before anything is prepared. */
  reportFailuresTo(onFailure: (error: FileError) => void): void {
    this.#onFailure = onFailure
  }

  bytesOf(number: number): number {
    const bytes = this.#sizes.get(number)
    assert(bytes !== undefined, `segment ${number} exists`)
    return bytes
  }

  path(number: number): string {
    return `${this.#options.folder}/${segmentName(number)}`
  }

  /** Makes the next segment in the background, unless there is one. */
  prepare(): void {
    if (this.isSpareReady || this.#isPreparing || this.#isClosed) return
    this.#cancelRetry?.()
    this.#cancelRetry = null
    if (this.#sizes.has(this.#current + 1)) {
      this.#prepared(null)
      return
    }
    this.#isPreparing = true
    const { files, segmentBytes } = this.#options
    files.preallocate(this.#spare, segmentBytes, (error) => this.#prepared(error))
  }

  /** Runs `ready` as soon as there is a spare: at once, or in a later turn. */
  whenReady(ready: () => void): void {
    if (this.isSpareReady) {
      ready()
      return
    }
    this.#whenReady = ready
    this.prepare()
  }

  /** The spare becomes the segment that is written to; the caller closes its file. */
  takeSpare(): { readonly number: number; readonly file: AppendFile } {
    const file = this.#spareFile
    assert(file !== null, 'takeSpare needs a spare segment')
    this.#spareFile = null
    this.#current += 1
    return { number: this.#current, file }
  }

  /**
   * Removes all segments below `oldest`; damaged ones are evidence and are kept under another name,
   * some of them, while there is room.
   *
   * @throws FileError
   */
  removeBelow(oldest: number, damaged: ReadonlySet<number>): void {
    for (const number of [...this.#sizes.keys()]) {
      if (number >= oldest) return
      if (damaged.has(number) && this.#shortage === null) this.#setAside(number)
      else this.#options.files.remove(this.path(number))
      this.#sizes.delete(number)
    }
  }

  #setAside(number: number): void {
    const { files, folder, warn } = this.#options
    const name = asideName(number)
    files.rename(this.path(number), `${folder}/${name}`)
    // It is gone from here on, also where a shortage leaves older ones for another time.
    this.#sizes.delete(number)
    warn(
      `the damaged log segment ${segmentName(number)} was given up: the state holds all that stood ` +
        `in it, and nothing is lost. Its file is kept as ${folder}/${name}; check the disk`,
    )
    const kept = files.list(folder).filter(isAside)
    for (const each of kept.slice(0, -SET_ASIDE_MAX)) files.remove(`${folder}/${each}`)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry?.()
    this.#whenReady = null
    this.#spareFile?.close()
    this.#spareFile = null
  }

  #prepared(error: FileError | null): void {
    this.#isPreparing = false
    if (this.#isClosed) return
    const failure = error ?? fileFailureOf(() => this.#openSpare())
    const shortage = failure === null ? null : shortageOf(failure)
    const isNews = this.#shortage === null
    this.#shortage = shortage
    if (failure !== null && shortage !== null) {
      if (isNews) this.#options.warn(warningOf(failure, shortage))
      this.#cancelRetry = this.#options.alarm(shortage.retryMs, () => this.prepare())
      return
    }
    if (failure !== null) {
      this.#onFailure(failure)
      return
    }
    const ready = this.#whenReady
    this.#whenReady = null
    ready?.()
  }

  /** @throws FileError; what was done by then is not done again */
  #openSpare(): void {
    const number = this.#current + 1
    const { files, segmentBytes } = this.#options
    if (!this.#sizes.has(number)) {
      files.rename(this.#spare, this.path(number))
      this.#sizes.set(number, segmentBytes)
    }
    this.#spareFile = files.openForAppend(this.path(number))
  }

  get #spare(): string {
    return `${this.#options.folder}/${SPARE_IN_MAKING}`
  }
}
