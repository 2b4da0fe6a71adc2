import { type ArcId, arcName } from '../../base/ids.js'
import type { Files } from '../../ports/files.js'
import type { LogDamage } from '../../ports/log-store.js'
import { ArcIndex } from './arc-index.js'
import {
  alteredStamps,
  decodeEntries,
  type FoundRow,
  isFullyStamped,
  readHead,
  readRows,
} from './batch-reader.js'
import { type RowDraft, rowDraft } from './batch-writer.js'
import { BLOCK_BYTES, type Head, segmentName, segmentNumberOf, stampOf, unstamp } from './format.js'

/** Bytes of a torn write, to be zeroed before anything else is written. */
export interface Cut {
  readonly segment: number
  readonly offset: number
  readonly bytes: number
}

/** The newest batch: it may be in the system's memory only, whatever a sync says now. */
export interface UnsettledBatch {
  readonly rows: readonly RowDraft[]
  readonly batchSeq: number
  readonly previousCrc: number
}

export interface ScanResult {
  readonly arcs: Map<ArcId, ArcIndex>
  readonly damaged: readonly LogDamage[]
  /** Altered bytes by which nothing is lost, in words: one text per segment. */
  readonly harmlessRot: readonly string[]
  readonly cuts: readonly Cut[]
  /** Number → bytes of every segment file, in order of their numbers. */
  readonly segments: ReadonlyMap<number, number>
  /** The lowest segment that is needed; those below it are left over from a removal. */
  readonly oldestSegment: number
  /** Segments below it in which something is not what was written. */
  readonly damagedBefore: ReadonlySet<number>
  /**
   * Segments in which all that is missing stood, as far as it is known; none where something is missing
   * that no damaged place explains.
   */
  readonly hurt: ReadonlySet<number>
  readonly lastSeq: number
  readonly lastCrc: number
  /** To be written again before anything relies on it; null where there is none that is intact. */
  readonly unsettled: UnsettledBatch | null
  /** Where the next batch goes; `block` at the segment's end: into the next segment. */
  readonly tail: { readonly segment: number; readonly block: number }
}

interface Segment {
  readonly number: number
  readonly content: Buffer
  readonly blockCount: number
}

/** Segments that are not looked at any more. */
export interface Before {
  /** The first one that is. */
  readonly from: number
  readonly damaged: ReadonlySet<number>
  /** True: they may still be needed. What they alone hold is not told as damage (R7). */
  readonly isOpen: boolean
}

const NOTHING_BEFORE: Before = { from: 0, damaged: new Set(), isOpen: false }

interface Finding extends LogDamage {
  readonly number: number
}

interface Place {
  readonly number: number
  readonly block: number
  /** The segment in which the missing stood. */
  readonly hurt: number
}

/**
 * Reads the whole log once, at start, and says what it holds and what is wrong with it. It writes
 * nothing: what has to be repaired is returned as `cuts`.
 *
 * R1: damage is told by the chain, batchSeq and the previous batch's checksum: where it is unbroken
 *     nothing is missing, where it is broken something is, and that is reported, never skipped.
 * R2: a batch is torn, and cut, only if no batch follows it and a sector of it lacks its stamp: then
 *     its sync cannot have returned. A batch with all its stamps and a bad checksum is rotten.
 * R3: rows that are intact are used although others of their batch are not.
 * R4: the newest batch may stand there more than once, since each start writes it again; one intact
 *     copy is enough.
 * R5: stamps are looked at only where checksums fail (R2): an altered one in a batch whose checksums
 *     hold costs nothing, and is told because the disk has altered it.
 * R6: what is wrong below the oldest segment that is needed is nobody's loss, and does not break the
 *     chain of what is above: a running node gives rotten segments up, and may die before they go.
 * R7: a segment's first batch repeats what is known of all arcs: a scan that begins there lacks nothing
 *     but entries, and `lastMissing` of each arc tells how far they reach.
 */
export class LogScan {
  readonly #files: Files
  readonly #folder: string
  readonly #segments = new Map<number, number>()
  readonly #arcs = new Map<ArcId, ArcIndex>()
  readonly #findings: Finding[] = []
  readonly #cuts: Cut[] = []
  /** Segment → offsets of sectors whose stamp is altered, in batches that are intact. */
  readonly #alteredStamps = new Map<number, number[]>()
  /** Null until the first batch, of a log whose beginning was removed. */
  #expectedSeq: number | null = 1
  #lastCrc = 0
  /** After reported damage the next batch is taken as it comes. */
  #isResyncing = false
  #oldestSegment = 1
  #tail = { segment: 1, block: 0 }
  /** The newest batch, if it is intact. */
  #last: { readonly segment: Segment; readonly head: Head } | null = null

  readonly #before: Before
  readonly #hurt = new Set<number>()

  constructor(files: Files, folder: string, before: Before = NOTHING_BEFORE) {
    this.#files = files
    this.#folder = folder
    this.#before = before
  }

  run(): ScanResult {
    for (const name of this.#files.list(this.#folder)) {
      const number = segmentNumberOf(name)
      if (number !== null) this.#segments.set(number, this.#files.sizeOf(this.#path(number)))
    }
    const { from, isOpen } = this.#before
    const numbers = [...this.#segments.keys()].filter((number) => number >= from)
    const [lowest = Math.max(from, 1)] = numbers
    const highest = numbers[numbers.length - 1] ?? lowest
    if (lowest > 1) this.#expectedSeq = null
    this.#tail = { segment: lowest, block: 0 }
    for (let number = lowest; number <= highest; number += 1) this.#scanSegment(number)
    if (this.#findings.length > 0 && this.#oldestSegment > lowest) return this.#scanFromOldest()
    if (this.#expectedSeq === null) this.#reportLostBeginning(lowest)
    const isCut = lowest > this.#oldestSegment
    if (isCut && !isOpen) this.#reportMissing(this.#oldestSegment, lowest - 1)
    return this.#result()
  }

  /** R6. */
  #scanFromOldest(): ScanResult {
    const from = this.#oldestSegment
    const damaged = new Set([...this.#hurt].filter((number) => number < from))
    return new LogScan(this.#files, this.#folder, { from, damaged, isOpen: false }).run()
  }

  #scanSegment(number: number): void {
    if (!this.#segments.has(number)) {
      this.#reportMissing(number, number)
      this.#isResyncing = true
      return
    }
    const segment = this.#load(number)
    let block: number | null = 0
    while (block !== null && block < segment.blockCount) block = this.#scanBatch(segment, block)
  }

  /** @returns where to go on in this segment; null when nothing more is in it */
  #scanBatch(segment: Segment, block: number): number | null {
    const head = readHead(segment.content, segment.number, block)
    if (head !== null && this.#isAcceptable(head)) return this.#scanHead(segment, head)
    if (isZero(segment.content, block * BLOCK_BYTES)) return null
    const next = this.#nextHead(segment, block + 1)
    if (next === null) return this.#endWithoutHead(segment, block)
    if (!this.#continuesChain(next)) {
      this.#report('all', placeAt(segment.number, block), MIDDLE, SKIPPED)
      this.#isResyncing = true
    }
    return next.segment === segment.number ? next.block : null
  }

  #scanHead(segment: Segment, head: Head): number | null {
    if (!this.#continuesChain(head)) this.#reportBrokenChain(head)
    const rows = readRows(segment.content, head)
    const broken = rows === null ? 'all' : brokenArcs(rows)
    if (broken.length === 0) return this.#takeIntact(segment, head, rows ?? [])
    const end = head.block + head.blockCount
    const next = this.#nextHead(segment, end, head.batchSeq - 1)
    if (next?.batchSeq === head.batchSeq) return next.segment === segment.number ? next.block : null
    const isLast = next === null
    if (isLast && fits(segment, head) && !isFullyStamped(segment.content, head)) {
      return this.#cut(segment, head.block)
    }
    if (this.#isRepeat(head)) return this.#pass(segment, head)
    const place = placeAt(segment.number, head.block)
    this.#report(broken, place, isLast ? ROTTEN : MIDDLE, CHECKSUM)
    this.#take(segment, head, rows ?? [])
    this.#last = null
    return end
  }

  #takeIntact(segment: Segment, head: Head, rows: readonly FoundRow[]): number {
    const altered = alteredStamps(segment.content, head)
    if (altered.length > 0) {
      const known = this.#alteredStamps.get(segment.number) ?? []
      this.#alteredStamps.set(segment.number, [...known, ...altered])
    }
    return this.#take(segment, head, rows)
  }

  #take(segment: Segment, head: Head, rows: readonly FoundRow[]): number {
    for (const row of rows) this.#arc(row.arc).fold(row, row.body)
    this.#expectedSeq = head.batchSeq + 1
    this.#isResyncing = false
    this.#oldestSegment = head.oldestSegment
    this.#last = { segment, head }
    return this.#pass(segment, head)
  }

  #pass(segment: Segment, head: Head): number {
    this.#lastCrc = head.headCrc
    const end = head.block + head.blockCount
    this.#tail = { segment: segment.number, block: end }
    return end
  }

  /** The log ends here, in bytes that are no batch. */
  #endWithoutHead(segment: Segment, block: number): null {
    const stamp = segment.content.readUInt32LE(block * BLOCK_BYTES)
    const expected = this.#expectedSeq
    if (expected !== null && stamp !== stampOf(expected)) return this.#cut(segment, block)
    this.#report('all', placeAt(segment.number, block), ROTTEN, 'its head is not readable')
    if (expected !== null) this.#expectedSeq = expected + 1
    this.#isResyncing = true
    this.#last = null
    return null
  }

  #cut(segment: Segment, block: number): null {
    const offset = block * BLOCK_BYTES
    const bytes = endOfContent(segment.content) - offset
    this.#cuts.push({ segment: segment.number, offset, bytes })
    return null
  }

  #isAcceptable(head: Head): boolean {
    if (this.#expectedSeq === null || head.batchSeq >= this.#expectedSeq) return true
    return this.#isRepeat(head)
  }

  #isRepeat(head: Head): boolean {
    const last = this.#last?.head
    return head.batchSeq === last?.batchSeq && head.previousCrc === last.previousCrc
  }

  #continuesChain(head: Head): boolean {
    if (this.#isResyncing || this.#isRepeat(head)) return true
    if (this.#expectedSeq === null) return head.opening
    return head.batchSeq === this.#expectedSeq && head.previousCrc === this.#lastCrc
  }

  /** The next batch at or after a block, here or in a later segment; `after`: newer than that one. */
  #nextHead(segment: Segment, from: number, after = 0): Head | null {
    let current = segment
    let block = from
    for (;;) {
      for (; block < current.blockCount; block += 1) {
        const head = readHead(current.content, current.number, block)
        if (head !== null && head.batchSeq > after && this.#isAcceptable(head)) return head
      }
      const next = [...this.#segments.keys()].find((number) => number > current.number)
      if (next === undefined) return null
      current = this.#load(next)
      block = 0
    }
  }

  #reportBrokenChain(head: Head): void {
    const expected = this.#expectedSeq
    const place = placeAt(head.segment, head.block)
    if (expected === null || head.batchSeq === expected) {
      const what = `batch ${head.batchSeq} does not continue what stands before it`
      return this.#report('all', place, MIDDLE, what)
    }
    const what = `batches ${expected} to ${head.batchSeq - 1} are missing before batch ${head.batchSeq}`
    // Before the first batch of a segment they stood in the one before.
    const hurt = head.block === 0 ? head.segment - 1 : head.segment
    this.#report('all', { ...place, hurt }, MIDDLE, what)
  }

  #reportMissing(from: number, to: number): void {
    for (let number = from; number <= to; number += 1) {
      this.#report('all', placeAt(number, 0), MIDDLE, 'the file is missing')
    }
  }

  #reportLostBeginning(lowest: number): void {
    const what = 'no batch is left in the log, which once held some'
    this.#report('all', placeAt(lowest, 0), MIDDLE, what)
  }

  #report(
    arcs: LogDamage['arcs'],
    { number, block, hurt }: Place,
    reason: LogDamage['reason'],
    what: string,
  ): void {
    this.#hurt.add(hurt)
    const segment = segmentName(number)
    const offset = block * BLOCK_BYTES
    const whose = arcs === 'all' ? 'all arcs' : arcs.map(arcName).join(', ')
    const message = `log segment ${segment}, offset ${offset}: ${what}; ${whose} may lack entries`
    this.#findings.push({ arcs, segment, offset, reason, message, number })
  }

  #result(): ScanResult {
    const oldest = this.#oldestSegment
    const damaged: LogDamage[] = this.#findings
      .filter((finding) => finding.number >= oldest)
      .map(({ number: _number, ...damage }) => damage)
    const isTold = damaged.some((damage) => damage.arcs === 'all')
    const gaps = isTold || this.#before.isOpen ? [] : this.#gaps(damaged)
    damaged.push(...gaps)
    return {
      arcs: this.#arcs,
      damaged,
      harmlessRot: [...this.#alteredStamps]
        .filter(([number]) => number >= oldest)
        .map(([number, offsets]) => alteredStampsIn(number, offsets)),
      cuts: this.#cuts,
      segments: this.#segments,
      oldestSegment: oldest,
      damagedBefore: this.#before.damaged,
      hurt: gaps.length > 0 ? new Set() : this.#hurt,
      lastSeq: (this.#expectedSeq ?? 1) - 1,
      lastCrc: this.#lastCrc,
      unsettled: this.#unsettled(),
      tail: this.#tail,
    }
  }

  #unsettled(): UnsettledBatch | null {
    if (this.#last === null) return null
    const { segment, head } = this.#last
    const rows = readRows(segment.content, head) ?? []
    const { batchSeq, previousCrc } = head
    return { rows: rows.map((row) => draftOf(segment, row)), batchSeq, previousCrc }
  }

  /** Entries that an intact chain promises and no segment holds. */
  #gaps(known: readonly LogDamage[]): LogDamage[] {
    const named = new Set(known.flatMap((damage) => (damage.arcs === 'all' ? [] : damage.arcs)))
    const gaps: LogDamage[] = []
    for (const arc of this.#arcs.values()) {
      const missing = arc.firstMissing()
      if (missing === null || named.has(arc.arc)) continue
      const segment = segmentName(this.#oldestSegment)
      const message = `the log lacks entry ${missing} of ${arcName(arc.arc)}, which it should hold`
      gaps.push({ arcs: [arc.arc], segment, offset: 0, reason: MIDDLE, message })
    }
    return gaps
  }

  #arc(id: ArcId): ArcIndex {
    const arc = this.#arcs.get(id) ?? new ArcIndex(id)
    this.#arcs.set(id, arc)
    return arc
  }

  #load(number: number): Segment {
    const bytes = this.#files.read(this.#path(number))
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return { number, content, blockCount: Math.floor(content.length / BLOCK_BYTES) }
  }

  #path(number: number): string {
    return `${this.#folder}/${segmentName(number)}`
  }
}

function placeAt(number: number, block: number): Place {
  return { number, block, hurt: number }
}

const ROTTEN = 'rotten-tail'
const MIDDLE = 'damage-in-the-middle'
const SKIPPED = 'bytes between two batches are not readable'
const CHECKSUM = 'a checksum does not hold'

function alteredStampsIn(number: number, [first = 0, ...others]: readonly number[]): string {
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  return (
    `log segment ${segmentName(number)}, offset ${first}${more}: the mark at a sector's begin is not ` +
    'what was written; the checksums of all that stands there hold, so nothing is lost, but this ' +
    'disk alters what it holds: check it, and look after your backups'
  )
}

function draftOf(segment: Segment, row: FoundRow): RowDraft {
  if (row.kind !== 'append' && row.kind !== 'relocate') return rowDraft(row)
  const body = unstamp(segment.content, row.body.position, row.body.bytes)
  return rowDraft(row, decodeEntries(body, row.first, { from: row.first, to: row.last }))
}

function brokenArcs(rows: readonly FoundRow[]): ArcId[] {
  return [...new Set(rows.filter((row) => !row.intact).map((row) => row.arc))]
}

/** A segment has its full length before its first batch: a batch that leaves it was not torn. */
function fits(segment: Segment, head: Head): boolean {
  return head.block + head.blockCount <= segment.blockCount
}

const ZEROES = Buffer.alloc(64 * 1024)

function isZero(content: Buffer, from: number): boolean {
  for (let at = from; at < content.length; at += ZEROES.length) {
    const part = content.subarray(at, at + ZEROES.length)
    if (!part.equals(ZEROES.subarray(0, part.length))) return false
  }
  return true
}

/** Offset behind the last block that is not all zeroes. */
function endOfContent(content: Buffer): number {
  const block = ZEROES.subarray(0, BLOCK_BYTES)
  let end = content.length - (content.length % BLOCK_BYTES)
  while (end > 0 && content.subarray(end - BLOCK_BYTES, end).equals(block)) end -= BLOCK_BYTES
  return end
}
