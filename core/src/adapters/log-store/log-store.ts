import { assert } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { type AppendFile, type FileError, type Files, fileFailureOf } from '../../ports/files.js'
import type {
  LogEntry,
  LogRecord,
  LogRot,
  LogScrubSlice,
  LogStats,
  LogStore,
  RecoveredLog,
} from '../../ports/log-store.js'
import { ArcIndex } from './arc-index.js'
import {
  BatchWriter,
  type BuiltBatch,
  bytesOfRows,
  type RowDraft,
  resetDraft,
  rowDraft,
} from './batch-writer.js'
import { BLOCK_BYTES, blocksFor, HEAD_BYTES, ROW_BYTES } from './format.js'
import { type GivingUp, nextCopies } from './giving-up.js'
import { RELOCATED_BYTES_PER_BATCH, RELOCATED_SHARE_MAX } from './limits.js'
import type { ScanResult, UnsettledBatch } from './log-scan.js'
import { LogScrubber } from './log-scrubber.js'
import { planRelease, type Release } from './release.js'
import { RunReader } from './run-reader.js'
import type { SegmentShelf } from './segment-shelf.js'
import { shortageOf, unlessShort } from './shortage.js'
import { TailCache } from './tail-cache.js'
import { isUnreadable } from './unreadable.js'

export interface SegmentedLogOptions {
  readonly files: Files
  readonly shelf: SegmentShelf
  readonly scan: ScanResult
  readonly batchBytesMax: number
  readonly retainBytes: number
  readonly tailCacheBytes: number
  readonly onFailure: (error: FileError) => void
}

/** A batch that was handed in and is not durable yet. */
interface Pending {
  readonly records: readonly LogRecord[]
  readonly rows: readonly RowDraft[]
  /** Of the rows with their bodies. */
  readonly rowBytes: number
  /** Once it is durable, nothing below this segment is needed; absent: what the log itself frees. */
  readonly oldestSegment?: number
  readonly done: () => void
}

/** What a batch will have changed once it is durable. */
interface Written {
  readonly rows: readonly RowDraft[]
  readonly batch: BuiltBatch
  readonly oldestSegment: number
}

/** Rows that arcs beside the caller's may add to a batch; an allowance for `canAppend`. */
const SPARE_ROWS = 1024

/**
 * The node's log: segments of checksummed batches, one write and one sync per batch, for all arcs.
 * Made by `openLogStore`. Not its job: reading the log at start (log-scan.ts), the segment files
 * (segment-shelf.ts), what an entry means.
 *
 * L1: `done` is called only after the batch's sync returned, and memory shows a batch only then.
 * L2: after a failed write or sync nothing is written any more, and the failure is told once.
 * L3: batches are consecutive; each names its predecessor's checksum.
 * L4: a segment's first batch repeats the state of all arcs, so that older segments can go.
 * L5: a segment is removed only after a durable batch has said that nothing needs it.
 * L6: a segment in which something has rotted is given up by the same rule, only sooner; also at a start
 *     (`giveUp`), where whoever opened the log has made sure that nothing needs it.
 */
export class SegmentedLog implements LogStore {
  /** Largest batch, in bytes: 64, 48 per record, 12 per entry, and payloads and votes in UTF-8. */
  readonly batchBytesMax: number
  readonly #shelf: SegmentShelf
  readonly #reader: RunReader
  readonly #arcs: Map<ArcId, ArcIndex>
  readonly #writer = new BatchWriter()
  readonly #cache: TailCache
  readonly #retainBytes: number
  readonly #onFailure: (error: FileError) => void
  #recovered: RecoveredLog
  #file: AppendFile
  #segment: number
  #block: number
  #lastSeq: number
  #lastCrc: number
  #oldestSegment: number
  #pending: Pending | null = null
  /** `damaged`: found so at start, to be read and never written. */
  #state: 'open' | 'damaged' | 'failed' | 'closed' = 'open'
  /** False while nothing has changed since a release was found impossible. */
  #mayRelease = false
  #isSqueezed = false
  readonly #scrubber: LogScrubber
  /** By number: damaged segments that are still there. */
  readonly #rot = new Map<number, LogRot>()
  #rotGivenUp = 0
  #syncs = 0
  #bytesWritten = 0

  constructor(options: SegmentedLogOptions) {
    const { files, shelf, scan } = options
    this.#shelf = shelf
    this.#reader = new RunReader(files, (segment) => shelf.path(segment))
    this.batchBytesMax = options.batchBytesMax
    this.#retainBytes = options.retainBytes
    this.#cache = new TailCache(options.tailCacheBytes)
    this.#onFailure = options.onFailure
    this.#arcs = scan.arcs
    this.#lastSeq = scan.lastSeq
    this.#lastCrc = scan.lastCrc
    this.#oldestSegment = scan.oldestSegment
    this.#segment = scan.tail.segment
    this.#block = scan.tail.block
    this.#file = files.openForAppend(shelf.path(this.#segment))
    this.#recovered = recoveredOf(scan)
    if (scan.damaged.length > 0) this.#state = 'damaged'
    for (const number of scan.damagedBefore) this.#rot.set(number, { number, message: '' })
    shelf.reportFailuresTo((error) => this.#fail(error))
    this.#scrubber = new LogScrubber({
      files,
      closed: () => ({
        from: this.#oldestSegment,
        // The newest one is closed only when a batch stands in the next: until then it may be cut.
        to: this.#block === 0 ? this.#segment - 1 : this.#segment,
      }),
      path: (segment) => shelf.path(segment),
      bytesOf: (segment) => shelf.bytesOf(segment),
      isKnown: (segment) => this.#rot.has(segment),
    })
  }

  get recovered(): RecoveredLog {
    return this.#recovered
  }

  /** Number of the last durable batch. */
  get lastBatch(): number {
    return this.#lastSeq
  }

  get stats(): LogStats {
    return {
      syncs: this.#syncs,
      bytesWritten: this.#bytesWritten,
      segments: this.#shelf.count,
      ...this.#shelf.room,
      isReleasing: this.#isReleasing,
      rot: this.#neededRot,
      rotGivenUp: this.#rotGivenUp,
    }
  }

  append(records: readonly LogRecord[], done: () => void): void {
    assert(this.#state === 'open', `append on a log that is ${this.#state}`)
    assert(this.#pending === null, 'append while another batch is on its way')
    const ends = new Map<ArcId, LogIndex>()
    const rows = records.map((record) => this.#rowOf(record, ends))
    const rowBytes = bytesOfRows(rows)
    const bytes = HEAD_BYTES + rowBytes
    assert(bytes <= this.batchBytesMax, `batch of ${bytes} bytes, at most ${this.batchBytesMax}`)
    this.#pending = { records, rows, rowBytes, done }
    this.#write()
  }

  /** Writes the newest batch that a scan found once more, under its number, behind itself. */
  repeat({ rows, batchSeq, previousCrc }: UnsettledBatch, done: () => void): void {
    assert(batchSeq === this.#lastSeq, 'only the newest batch is repeated, before any other')
    this.#lastSeq = batchSeq - 1
    this.#lastCrc = previousCrc
    this.#pending = { records: [], rows, rowBytes: bytesOfRows(rows), done }
    this.#write()
  }

  /**
   * Gives up, at a start, all segments below one: copies forward what stands there and is needed, then
   * says in one batch where each arc begins now. Once that is durable the segments go (L5).
   */
  giveUp(plan: GivingUp, done: () => void): void {
    const bytesMax = Math.min(RELOCATED_BYTES_PER_BATCH, this.batchBytesMax) - HEAD_BYTES
    const rows = nextCopies(plan, bytesMax, (run) => this.#reader.readWhole(run))
    if (rows.length === 0) return this.#giveUpAll(plan, done)
    const rest = { ...plan, copies: plan.copies.slice(rows.length) }
    this.#writeOnly(rows, this.#oldestSegment, () => this.giveUp(rest, done))
  }

  #giveUpAll({ from, firsts }: GivingUp, done: () => void): void {
    for (const arc of this.#arcs.values()) {
      const missing = arc.lastMissing() ?? 0
      const first = firsts.get(arc.arc) ?? arc.firstIndex
      assert(missing < first, `arc ${arc.arc} begins at ${first}, and entry ${missing} is missing`)
    }
    const rows = [...firsts].map(([arc, first]) => rowDraft({ kind: 'first-index', arc, first }))
    this.#writeOnly(rows, from, () => {
      this.#recovered = { ...this.#recovered, arcs: recoveredArcs(this.#arcs) }
      done()
    })
  }

  /** Nothing rides along, and nothing is freed but what is named. */
  #writeOnly(rows: readonly RowDraft[], oldestSegment: number, done: () => void): void {
    this.#pending = { records: [], rows, rowBytes: bytesOfRows(rows), oldestSegment, done }
    this.#write()
  }

  /**
   * True when a batch with this many bytes of payload can be written without waiting for disk space.
   * Where it is false `append` still works, but its `done` may have to wait for a full disk.
   */
  canAppend(payloadBytes: number): boolean {
    const bytes = HEAD_BYTES + payloadBytes + SPARE_ROWS * ROW_BYTES
    return this.#state === 'open' && (this.#hasRoom(bytes) || this.#shelf.isSpareReady)
  }

  /** Tries again to make the spare segment, sooner than by itself. */
  retryPreallocation(): void {
    if (this.#state === 'open') this.#shelf.prepare()
  }

  read(arc: ArcId, from: LogIndex, to: LogIndex): LogEntry[] {
    if (to < from) return []
    const index = this.#arcs.get(arc)
    const isHeld = index !== undefined && from >= index.firstIndex && to <= index.lastIndex
    assert(isHeld, `read of entries ${from} to ${to} of arc ${arc}, which the log does not hold`)
    return this.#cache.read(arc, from, to) ?? this.#reader.readRuns(index, from, to)
  }

  compact(arc: ArcId, upTo: LogIndex): void {
    this.#arcs.get(arc)?.needBehind(upTo)
    this.#mayRelease = true
  }

  keep(arc: ArcId): void {
    this.#arcs.get(arc)?.needAll()
  }

  squeeze(isSqueezed: boolean): void {
    this.#isSqueezed = isSqueezed
  }

  scrubNext(ready: (verify: () => LogScrubSlice) => void): void {
    if (this.#state !== 'open') return
    this.#scrubber.next((verify) => {
      if (this.#state !== 'open') return
      ready(() => {
        const slice = verify()
        if (slice.rot !== null) this.#noteRot(slice.rot)
        return slice
      })
    })
  }

  /** Closes the files. A batch on its way is not called back. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#shelf.close()
    this.#file.close()
  }

  /** @param ends last index of each arc that this batch has appended to so far */
  #rowOf(record: LogRecord, ends: Map<ArcId, LogIndex>): RowDraft {
    const { kind, arc } = record
    if (kind === 'hard-state') return rowDraft({ kind, arc, term: record.term, vote: record.vote })
    if (kind === 'reset') {
      ends.set(arc, record.index)
      return resetDraft(record)
    }
    const { entries } = record
    const first = entries[0]
    const last = entries[entries.length - 1]
    assert(first !== undefined && last !== undefined, `empty append to arc ${arc}`)
    const isConsecutive = last.index === first.index + entries.length - 1
    assert(isConsecutive, `append to arc ${arc} with gaps after entry ${first.index}`)
    const known = this.#arcs.get(arc)
    const end = ends.get(arc) ?? known?.lastIndex ?? 0
    const isJoined =
      end === 0 || (first.index >= (known?.firstIndex ?? 1) && first.index <= end + 1)
    assert(isJoined, `append to arc ${arc} at ${first.index} does not join what the log holds`)
    ends.set(arc, last.index)
    const range = { first: first.index, last: last.index, lastTerm: last.term }
    return rowDraft({ kind, arc, ...range }, entries)
  }

  /** Writes the pending batch here, or into the next segment, or as soon as there is one. */
  #write(): void {
    const pending = this.#pending
    if (pending === null || this.#state !== 'open') return
    const { oldestSegment } = pending
    const release = oldestSegment === undefined ? this.#planRelease(pending) : null
    const rows = [...(release?.rows ?? []), ...pending.rows]
    const rowBytes = pending.rowBytes + bytesOfRows(release?.rows ?? [])
    if (!this.#hasRoom(HEAD_BYTES + rowBytes)) {
      if (!this.#shelf.isSpareReady) {
        this.#shelf.whenReady(() => this.#write())
        return
      }
      this.#openNextSegment()
    }
    const checkpoint = this.#block === 0 ? this.#checkpoint() : []
    const bytes = HEAD_BYTES + bytesOfRows(checkpoint) + rowBytes
    const freed = this.#oldestSegment + (release?.isComplete === true ? 1 : 0)
    this.#writeAt([...checkpoint, ...rows], bytes, oldestSegment ?? freed)
  }

  /** A segment at its start has room for the largest batch and the checkpoint before it. */
  #hasRoom(payloadBytes: number): boolean {
    return this.#block === 0 || this.#block + blocksFor(payloadBytes) <= this.#blockCount
  }

  get #blockCount(): number {
    return Math.floor(this.#shelf.bytesOf(this.#segment) / BLOCK_BYTES)
  }

  #writeAt(rows: readonly RowDraft[], bytes: number, oldestSegment: number): void {
    assert(this.#block + blocksFor(bytes) <= this.#blockCount, 'a batch stays in its segment')
    const place = {
      opening: this.#block === 0 || rows.some((row) => row.kind === 'checkpoint'),
      batchSeq: this.#lastSeq + 1,
      segment: this.#segment,
      block: this.#block,
      oldestSegment,
      previousCrc: this.#lastCrc,
    }
    const batch = this.#writer.build(place, rows, bytes)
    const written = { rows, batch, oldestSegment }
    this.#file.writeAndSync(this.#block * BLOCK_BYTES, batch.content, (error) => {
      if (this.#state !== 'open') return
      if (error !== null) this.#fail(error)
      else this.#finish(written)
    })
  }

  #finish({ rows, batch, oldestSegment }: Written): void {
    const pending = this.#pending
    assert(pending !== null, 'a batch that was written was pending')
    rows.forEach((row, index) => {
      const body = batch.bodies[index]
      assert(body !== undefined, 'each row has a place')
      this.#arc(row.arc).fold(row, body)
    })
    for (const record of pending.records) {
      if (record.kind === 'append') this.#cache.add(record.arc, record.entries)
      else if (record.kind === 'reset') this.#cache.drop(record.arc)
    }
    this.#lastSeq += 1
    this.#lastCrc = batch.headCrc
    this.#block += batch.content.length / BLOCK_BYTES
    this.#oldestSegment = oldestSegment
    this.#syncs += 1
    this.#bytesWritten += batch.content.length
    this.#pending = null
    pending.done()
    this.#tidy(oldestSegment)
  }

  /** What may follow a batch at leisure. */
  #tidy(oldestSegment: number): void {
    if (this.#state !== 'open') return
    const failure = fileFailureOf(() => {
      this.#shelf.removeBelow(oldestSegment, new Set(this.#rot.keys()))
      this.#forgetRotBelow(oldestSegment)
    })
    // What is left after a shortage goes after the next batch.
    if (failure !== null && shortageOf(failure) === null) this.#fail(failure)
    else this.#shelf.prepare()
  }

  #openNextSegment(): void {
    const { number, file } = this.#shelf.takeSpare()
    this.#file.close()
    this.#file = file
    this.#segment = number
    this.#block = 0
    this.#mayRelease = true
  }

  #checkpoint(): RowDraft[] {
    return [...this.#arcs.values()].map((arc) =>
      rowDraft({
        kind: 'checkpoint',
        arc: arc.arc,
        term: arc.term,
        vote: arc.vote,
        first: arc.firstIndex,
        last: arc.lastIndex,
        lastTerm: arc.lastTerm,
      }),
    )
  }

  /** True when the next batch may make the oldest segment superfluous, or bring that nearer. */
  get #isReleasing(): boolean {
    if (!this.#mayRelease || this.#oldestSegment >= this.#segment) return false
    // What is kept beyond need is the first to go when there is no room, or when it has rotted.
    const isShort = this.#isSqueezed || this.#shelf.shortage !== null
    const retainBytes = isShort || this.#neededRot.length > 0 ? 0 : this.#retainBytes
    return this.#shelf.usedBytesFrom(this.#oldestSegment) > retainBytes
  }

  /** Leaves the release out where it would make its batch wait for the very room that it makes. */
  #planRelease(pending: Pending): Release | null {
    if (!this.#isReleasing) return null
    const release = unlessShort(() => this.#unlessRotten(() => this.#releaseOldest()))
    const bytes = HEAD_BYTES + bytesOfRows(release?.rows ?? []) + pending.rowBytes
    const isReady = this.#hasRoom(bytes) || this.#shelf.isSpareReady
    this.#mayRelease = release !== null && isReady
    return isReady && bytes <= this.batchBytesMax ? release : null
  }

  #releaseOldest(): Release | null {
    return planRelease({
      arcs: this.#arcs.values(),
      oldestSegment: this.#oldestSegment,
      relocatedBytesMax: this.#shelf.bytesOf(this.#oldestSegment) * RELOCATED_SHARE_MAX,
      readRun: (run) => this.#reader.readWhole(run),
    })
  }

  /** What is needed and cannot be read is not copied: it stays until it is not needed any more. */
  #unlessRotten(plan: () => Release | null): Release | null {
    try {
      return plan()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const number = this.#oldestSegment
      if (!this.#rot.has(number)) this.#noteRot({ number, message: error.message })
      return null
    }
  }

  get #neededRot(): readonly LogRot[] {
    if (this.#rot.size === 0) return NO_ROT
    return [...this.#rot.values()].filter(({ number }) => number >= this.#oldestSegment)
  }

  #noteRot(rot: LogRot): void {
    this.#rot.set(rot.number, rot)
    this.#mayRelease = true
  }

  #forgetRotBelow(oldestSegment: number): void {
    for (const number of [...this.#rot.keys()]) {
      if (number >= oldestSegment) continue
      this.#rot.delete(number)
      this.#rotGivenUp += 1
    }
  }

  #arc(id: ArcId): ArcIndex {
    const arc = this.#arcs.get(id) ?? new ArcIndex(id)
    this.#arcs.set(id, arc)
    return arc
  }

  #fail(error: FileError): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#shelf.close()
    this.#onFailure(error)
  }
}

const NO_ROT: readonly LogRot[] = []

function recoveredOf(scan: ScanResult): RecoveredLog {
  const { arcs, damaged, harmlessRot, cuts } = scan
  return { arcs: recoveredArcs(arcs), damaged, harmlessRot, tornTailCut: cuts.length > 0 }
}

function recoveredArcs(arcs: ReadonlyMap<ArcId, ArcIndex>): RecoveredLog['arcs'] {
  return new Map([...arcs].map(([id, arc]) => [id, arc.recovered()]))
}
