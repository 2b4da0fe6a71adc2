import { AppError } from '../../base/app-error.js'
import { assert } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import type { Clock } from '../../ports/clock.js'
import { type FileError, type Files, fileFailureOf } from '../../ports/files.js'
import type { LogPrice } from '../../protocol/node/log-cover.js'
import { BLOCK_BYTES, SPARE_IN_MAKING, segmentName, segmentNumberOf } from './format.js'
import {
  BATCH_BYTES_MAX,
  RETAIN_BYTES,
  SEGMENT_BYTES,
  SEGMENT_BYTES_MIN,
  TAIL_CACHE_BYTES,
} from './limits.js'
import { LogScan, type ScanResult } from './log-scan.js'
import { planGivingUp } from './giving-up.js'
import { SegmentedLog } from './log-store.js'
import { type BehindDamage, scanBehind } from './scan-behind.js'
import { SegmentShelf } from './segment-shelf.js'
import { orRefused } from './unreadable.js'

export interface LogStoreOptions {
  readonly files: Files
  /** `create`: makes a new log, and refuses one that was ever written to. `open`: refuses to make one. */
  readonly mode: 'create' | 'open'
  /** The log can no longer be written: the process must end. Called at most once. */
  readonly onFailure: (error: FileError) => void
  /** Told once for each time that the log has to wait, with what to do about it. */
  readonly warn?: (message: string) => void
  /** Retries a full disk. */
  readonly alarm: Clock['alarm']
  /** Below the data folder; `log` by default. */
  readonly folder?: string
  /** Of new segments; a multiple of 4096. */
  readonly segmentBytes?: number
  readonly retainBytes?: number
  readonly tailCacheBytes?: number
}

/** Damage that the log can do without, if all arcs can. */
export interface SpareableDamage {
  readonly price: LogPrice
  /**
   * Gives up the damaged segments and all before them, with the entries that stand in no later one; of
   * arcs that are unhurt those from `keep` on are copied out of them. All of it is durable when `done` is
   * called with a log that is in order. The store that was handed over before is closed. To be called only
   * when what is given up is durable elsewhere: those entries are gone.
   */
  readonly giveUp: (keep: ReadonlyMap<ArcId, LogIndex>, done: (store: SegmentedLog) => void) => void
}

type Opened = (store: SegmentedLog, damage: SpareableDamage | null) => void

/**
 * Reads the log, repairs a torn tail, and makes all that it found durable. Only then `opened` is
 * called, in a later turn: bytes of a killed process may be in the system's memory only, and must not
 * be acted upon before they are on the disk.
 *
 * Where `recovered.damaged` is not empty nothing was written, and nothing can be: the store is handed
 * over for what it says there. Beside it comes what to do where the log can go on without its damaged
 * segments; null: it cannot, whatever others hold.
 *
 * @throws AppError log_missing, log_not_empty, log_too_new, log_unreadable
 * @throws FileError when the files cannot be read
 */
export function openLogStore(options: LogStoreOptions, opened: Opened): void {
  const { folder = 'log', segmentBytes = SEGMENT_BYTES } = options
  assert(
    segmentBytes >= SEGMENT_BYTES_MIN && segmentBytes % BLOCK_BYTES === 0,
    `a segment has at least ${SEGMENT_BYTES_MIN} bytes, in blocks of ${BLOCK_BYTES}`,
  )
  new Opening(options, folder, segmentBytes, opened).start()
}

class Opening {
  readonly #options: LogStoreOptions
  readonly #folder: string
  readonly #segmentBytes: number
  readonly #opened: Opened

  constructor(options: LogStoreOptions, folder: string, segmentBytes: number, opened: Opened) {
    this.#options = options
    this.#folder = folder
    this.#segmentBytes = segmentBytes
    this.#opened = opened
  }

  start(): void {
    const { files, mode } = this.#options
    if (mode === 'create') files.makeFolder(this.#folder)
    const isNew = !files.list(this.#folder).some((name) => segmentNumberOf(name) !== null)
    if (isNew && mode === 'open') throw logMissing(this.#folder)
    if (isNew) this.#createFirst()
    else this.#recover()
  }

  /** A disk that is full already now is a failure: there is nothing that could go on without it. */
  #createFirst(): void {
    const { files, onFailure } = this.#options
    files.preallocate(this.#spare, this.#segmentBytes, (error) => {
      const failure = error ?? fileFailureOf(() => files.rename(this.#spare, this.#firstSegment))
      if (failure !== null) onFailure(failure)
      else this.#recover()
    })
  }

  get #spare(): string {
    return `${this.#folder}/${SPARE_IN_MAKING}`
  }

  get #firstSegment(): string {
    return `${this.#folder}/${segmentName(1)}`
  }

  #recover(): void {
    const { files, mode } = this.#options
    const scan = orRefused(() => new LogScan(files, this.#folder).run())
    if (mode === 'create' && (scan.lastSeq > 0 || scan.damaged.length > 0)) {
      throw logNotEmpty(this.#folder)
    }
    if (scan.damaged.length > 0) {
      this.#handOverDamaged(scan)
      return
    }
    this.#repair(scan, (store) => this.#opened(store, null))
  }

  #repair(scan: ScanResult, ready: (store: SegmentedLog) => void): void {
    const { files } = this.#options
    if (files.exists(this.#spare)) files.remove(this.#spare)
    this.#settle(scan, 0, ready)
  }

  /** What was found is evidence, and perhaps all that is left: it is told, and stays as it is. */
  #handOverDamaged(scan: ScanResult): void {
    const store = this.#store(scan, this.#shelf(scan.segments, scan.tail.segment))
    const behind = orRefused(() => scanBehind(this.#options.files, this.#folder, scan))
    const damage = behind === null ? null : this.#spareable(behind, store)
    this.#options.alarm(0, () => this.#opened(store, damage))
  }

  /**
   * Until the batch that says so is durable, the log is as damaged as it was, and the next start finds the
   * same; from then on it lies below the oldest segment that is needed.
   */
  #spareable(behind: BehindDamage, store: SegmentedLog): SpareableDamage {
    const { scan, price } = behind
    return {
      price,
      giveUp: (keep, done) => {
        store.close()
        const plan = planGivingUp(behind, keep)
        this.#repair(scan, (found) => found.giveUp(plan, () => done(found)))
      },
    }
  }

  /**
   * Zeroes what was torn, so that no later scan takes it for a part of what will stand there, and
   * syncs; then the last batch is written again, and the log can be used.
   *
   * A sync of what stands there would not do. (1) A sync fails and the process ends. (2) The system
   * holds the batch as clean in its memory, with nothing of it on the disk. (3) The next life reads
   * it there, syncs to no effect and acts on it. (4) The power goes, and the batch with it. Nor may
   * the batch be written over itself: the power may go while it is.
   */
  #settle(scan: ScanResult, done: number, ready: (store: SegmentedLog) => void): void {
    const { files, onFailure } = this.#options
    const shelf = this.#shelf(scan.segments, scan.tail.segment)
    const cut = scan.cuts[done] ?? { segment: scan.tail.segment, offset: 0, bytes: 0 }
    const file = files.openForAppend(shelf.path(cut.segment))
    file.writeAndSync(cut.offset, Buffer.alloc(cut.bytes), (error) => {
      file.close()
      if (error !== null) onFailure(error)
      else if (done < scan.cuts.length) this.#settle(scan, done + 1, ready)
      else this.#finish(scan, shelf, ready)
    })
  }

  #finish(scan: ScanResult, shelf: SegmentShelf, ready: (store: SegmentedLog) => void): void {
    const store = this.#store(scan, shelf)
    shelf.prepare()
    if (scan.unsettled === null) ready(store)
    else store.repeat(scan.unsettled, () => ready(store))
  }

  #store(scan: ScanResult, shelf: SegmentShelf): SegmentedLog {
    const { files, onFailure, retainBytes, tailCacheBytes } = this.#options
    return new SegmentedLog({
      files,
      shelf,
      scan,
      batchBytesMax: Math.min(BATCH_BYTES_MAX, this.#segmentBytes / 2),
      retainBytes: retainBytes ?? RETAIN_BYTES,
      tailCacheBytes: tailCacheBytes ?? TAIL_CACHE_BYTES,
      onFailure,
    })
  }

  #shelf(segments: ReadonlyMap<number, number>, current: number): SegmentShelf {
    const { files, alarm, warn = () => {} } = this.#options
    const options = { files, folder: this.#folder, segmentBytes: this.#segmentBytes, alarm, warn }
    return new SegmentShelf(options, segments, current)
  }
}

function logMissing(folder: string): AppError {
  return new AppError(
    'log_missing',
    `the data folder has no log in "${folder}": its files were lost or moved. Put them back, or ` +
      'start a new node in an empty folder; nothing was created',
  )
}

function logNotEmpty(folder: string): AppError {
  return new AppError(
    'log_not_empty',
    `"${folder}" already holds a log, but a new one was asked for. Choose an empty data folder, or ` +
      'move this one away; nothing was changed',
  )
}
