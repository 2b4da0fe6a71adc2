import { crc32 } from 'node:zlib'
import { assert } from '../../base/assert.js'
import type { LogEntry, LogRecord } from '../../ports/log-store.js'
import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  type BodyPlace,
  blocksFor,
  ENTRY_HEAD_BYTES,
  ENTRY_KIND,
  ENTRY_KINDS,
  FIRST_FORMAT_VERSION,
  FORMAT_VERSION,
  HEAD,
  HEAD_BYTES,
  MAGIC,
  ROW,
  ROW_BYTES,
  ROW_KINDS,
  type Row,
  SECTOR_BYTES,
  SECTOR_PAYLOAD_BYTES,
  SECTORS_PER_BLOCK,
  STAMP_BYTES,
  stampOf,
  writeUint64,
} from './format.js'

/** A row with what stands in its body. */
export interface RowDraft extends Row {
  readonly entries: readonly LogEntry[]
}

/** Where a batch will stand and what it continues. */
export interface BatchPlace {
  readonly opening: boolean
  readonly batchSeq: number
  readonly segment: number
  readonly block: number
  readonly oldestSegment: number
  readonly previousCrc: number
}

export interface BuiltBatch {
  /** Whole stamped blocks; valid until the next `build`. */
  readonly content: Buffer
  readonly headCrc: number
  /** One per row, in order; `bytes` 0 where a row has no body. */
  readonly bodies: readonly BodyPlace[]
}

const INITIAL_BYTES = 64 * 1024
const NO_ENTRIES: readonly LogEntry[] = []

export function rowDraft(
  row: Partial<Row> & Pick<Row, 'kind' | 'arc'>,
  entries = NO_ENTRIES,
): RowDraft {
  return { term: 0, vote: null, first: 0, last: 0, lastTerm: 0, ...row, entries }
}

/** All entries of the arc are gone, and the next one follows `index`. */
export function resetDraft({
  arc,
  index,
  term,
}: Extract<LogRecord, { readonly kind: 'reset' }>): RowDraft {
  return rowDraft({ kind: 'reset', arc, first: index + 1, last: index, lastTerm: term })
}

/** Payload bytes of rows with their bodies, exactly. */
export function bytesOfRows(rows: readonly RowDraft[]): number {
  let bytes = 0
  for (const row of rows) bytes += bytesOfRow(row)
  return bytes
}

function bytesOfRow(row: RowDraft): number {
  let bytes = ROW_BYTES + (row.vote === null ? 0 : Buffer.byteLength(row.vote))
  for (const entry of row.entries) bytes += ENTRY_HEAD_BYTES + Buffer.byteLength(entry.payload)
  return bytes
}

/**
 * Builds batches in two buffers that are used again and again: one of plain payload, one of stamped
 * sectors. Not its job: where a batch goes (log-store.ts) and what its rows mean (arc-index.ts).
 */
export class BatchWriter {
  #payload = Buffer.alloc(INITIAL_BYTES)
  #sectors = Buffer.alloc(INITIAL_BYTES)

  build(place: BatchPlace, rows: readonly RowDraft[], payloadBytes: number): BuiltBatch {
    const blockCount = blocksFor(payloadBytes)
    this.#makeRoom(blockCount)
    const bodies: BodyPlace[] = []
    const start = place.block * BLOCK_PAYLOAD_BYTES
    let cursor = HEAD_BYTES + rows.length * ROW_BYTES
    rows.forEach((row, index) => {
      const end = this.#writeBody(row, cursor)
      const bytes = end - cursor
      const crc = bytes === 0 ? 0 : crc32(this.#payload.subarray(cursor, end))
      this.#writeRow(row, HEAD_BYTES + index * ROW_BYTES, bytes, crc)
      bodies.push({ segment: place.segment, position: start + cursor, bytes, crc })
      cursor = end
    })
    assert(cursor === payloadBytes, `a batch measured as ${payloadBytes} bytes came to ${cursor}`)
    this.#payload.fill(0, cursor, blockCount * BLOCK_PAYLOAD_BYTES)
    const headCrc = this.#writeHead(place, rows, blockCount, cursor)
    this.#stamp(blockCount, stampOf(place.batchSeq))
    return { content: this.#sectors.subarray(0, blockCount * BLOCK_BYTES), headCrc, bodies }
  }

  #makeRoom(blockCount: number): void {
    const bytes = blockCount * BLOCK_BYTES
    if (bytes <= this.#sectors.length) return
    const grown = 2 ** Math.ceil(Math.log2(bytes))
    this.#payload = Buffer.alloc(grown)
    this.#sectors = Buffer.alloc(grown)
  }

  #writeBody(row: RowDraft, from: number): number {
    let cursor = from
    if (row.vote !== null) cursor += this.#payload.write(row.vote, cursor, 'utf8')
    for (const { term, payload, kind } of row.entries) {
      const bytes = this.#payload.write(payload, cursor + ENTRY_HEAD_BYTES, 'utf8')
      writeUint64(this.#payload, term, cursor)
      if (kind !== undefined) this.#payload[cursor + ENTRY_KIND] = ENTRY_KINDS.indexOf(kind)
      this.#payload.writeUInt32LE(bytes, cursor + 8)
      cursor += ENTRY_HEAD_BYTES + bytes
    }
    return cursor
  }

  #writeRow(row: RowDraft, at: number, bodyBytes: number, bodyCrc: number): void {
    const buffer = this.#payload
    buffer[at + ROW.kind] = ROW_KINDS.indexOf(row.kind)
    buffer[at + ROW.hasVote] = row.vote === null ? 0 : 1
    buffer.writeUInt16LE(row.arc, at + ROW.arc)
    buffer.writeUInt32LE(bodyBytes, at + ROW.bodyBytes)
    buffer.writeUInt32LE(bodyCrc, at + ROW.bodyCrc)
    buffer.writeUInt32LE(row.entries.length, at + ROW.count)
    writeUint64(buffer, row.term, at + ROW.term)
    writeUint64(buffer, row.first, at + ROW.first)
    writeUint64(buffer, row.last, at + ROW.last)
    writeUint64(buffer, row.lastTerm, at + ROW.lastTerm)
  }

  #writeHead(
    place: BatchPlace,
    rows: readonly RowDraft[],
    blockCount: number,
    end: number,
  ): number {
    const buffer = this.#payload
    const rowCount = rows.length
    const bodyStart = HEAD_BYTES + rowCount * ROW_BYTES
    buffer.fill(0, 0, HEAD_BYTES)
    buffer.writeUInt32LE(MAGIC, HEAD.magic)
    buffer.writeUInt16LE(versionOf(rows), HEAD.version)
    buffer.writeUInt16LE(place.opening ? 1 : 0, HEAD.opening)
    writeUint64(buffer, place.batchSeq, HEAD.batchSeq)
    buffer.writeUInt32LE(place.segment, HEAD.segment)
    buffer.writeUInt32LE(place.block, HEAD.block)
    buffer.writeUInt32LE(place.oldestSegment, HEAD.oldestSegment)
    buffer.writeUInt32LE(place.previousCrc, HEAD.previousCrc)
    buffer.writeUInt32LE(blockCount, HEAD.blockCount)
    buffer.writeUInt32LE(rowCount, HEAD.rowCount)
    buffer.writeUInt32LE(end - bodyStart, HEAD.bodyBytes)
    buffer.writeUInt32LE(crc32(buffer.subarray(HEAD_BYTES, bodyStart)), HEAD.directoryCrc)
    const headCrc = crc32(buffer.subarray(0, HEAD.headCrc))
    buffer.writeUInt32LE(headCrc, HEAD.headCrc)
    return headCrc
  }

  #stamp(blockCount: number, stamp: number): void {
    const sectorCount = blockCount * SECTORS_PER_BLOCK
    for (let sector = 0; sector < sectorCount; sector += 1) {
      const from = sector * SECTOR_PAYLOAD_BYTES
      this.#sectors.writeUInt32LE(stamp, sector * SECTOR_BYTES)
      const payload = this.#payload.subarray(from, from + SECTOR_PAYLOAD_BYTES)
      this.#sectors.set(payload, sector * SECTOR_BYTES + STAMP_BYTES)
    }
  }
}

/** So that the version before can still read what was written before a second replica came. */
function versionOf(rows: readonly RowDraft[]): number {
  const isNew = rows.some(
    ({ kind, entries }) => kind === 'reset' || entries.some((entry) => entry.kind !== undefined),
  )
  return isNew ? FORMAT_VERSION : FIRST_FORMAT_VERSION
}
