import { crc32 } from 'node:zlib'
import { assert } from '../../base/assert.js'
import { AppError } from '../../base/app-error.js'
import type { LogIndex } from '../../base/ids.js'
import type { LogEntry } from '../../ports/log-store.js'
import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  type BodyPlace,
  ENTRY_HEAD_BYTES,
  ENTRY_KIND,
  ENTRY_KINDS,
  FORMAT_VERSION,
  HEAD,
  HEAD_BYTES,
  type Head,
  MAGIC,
  ROW,
  ROW_BYTES,
  ROW_KINDS,
  type Row,
  readUint64,
  SECTOR_BYTES,
  STAMP_BYTES,
  stampOf,
  unstamp,
} from './format.js'

/** A directory row as found, with its body's place and whether the body's checksum holds. */
export interface FoundRow extends Row {
  readonly body: BodyPlace
  readonly intact: boolean
}

/**
 * The head of a batch that begins at `block`; null when there is none whose checksum holds, or it
 * says that it belongs elsewhere (a misdirected write).
 *
 * @param content    the segment, or a part of it
 * @param firstBlock with which the part begins
 * @throws AppError log_too_new when an intact head was written by a newer version
 */
export function readHead(
  content: Buffer,
  segmentNumber: number,
  block: number,
  firstBlock = 0,
): Head | null {
  const at = (block - firstBlock) * BLOCK_BYTES + STAMP_BYTES
  if (at + HEAD_BYTES > content.length || content.readUInt32LE(at + HEAD.magic) !== MAGIC) {
    return null
  }
  const headCrc = content.readUInt32LE(at + HEAD.headCrc)
  if (crc32(content.subarray(at, at + HEAD.headCrc)) !== headCrc) return null
  refuseNewer(content.readUInt16LE(at + HEAD.version))
  const head = decodeHead(content, at, headCrc)
  return head.segment === segmentNumber && head.block === block ? head : null
}

function decodeHead(segment: Buffer, at: number, headCrc: number): Head {
  return {
    opening: segment.readUInt16LE(at + HEAD.opening) === 1,
    batchSeq: readUint64(segment, at + HEAD.batchSeq),
    segment: segment.readUInt32LE(at + HEAD.segment),
    block: segment.readUInt32LE(at + HEAD.block),
    oldestSegment: segment.readUInt32LE(at + HEAD.oldestSegment),
    previousCrc: segment.readUInt32LE(at + HEAD.previousCrc),
    blockCount: segment.readUInt32LE(at + HEAD.blockCount),
    rowCount: segment.readUInt32LE(at + HEAD.rowCount),
    bodyBytes: segment.readUInt32LE(at + HEAD.bodyBytes),
    directoryCrc: segment.readUInt32LE(at + HEAD.directoryCrc),
    headCrc,
  }
}

function refuseNewer(version: number): void {
  if (version <= FORMAT_VERSION) return
  throw new AppError(
    'log_too_new',
    `the log was written in format ${version}, this version of Gyre reads up to ` +
      `${FORMAT_VERSION}: start the newer version that wrote it`,
  )
}

/**
 * The rows of a batch with an intact head; null when its directory's checksum does not hold.
 *
 * @param content    the segment, or a part of it that holds the whole batch
 * @param firstBlock with which the part begins
 */
export function readRows(content: Buffer, head: Head, firstBlock = 0): FoundRow[] | null {
  const inContent = head.block - firstBlock
  if ((inContent + head.blockCount) * BLOCK_BYTES > content.length) return null
  const start = head.block * BLOCK_PAYLOAD_BYTES
  const bodyStart = HEAD_BYTES + head.rowCount * ROW_BYTES
  const batch = unstamp(content, inContent * BLOCK_PAYLOAD_BYTES, bodyStart + head.bodyBytes)
  if (crc32(batch.subarray(HEAD_BYTES, bodyStart)) !== head.directoryCrc) return null
  const rows: FoundRow[] = []
  let cursor = bodyStart
  for (let index = 0; index < head.rowCount; index += 1) {
    const at = HEAD_BYTES + index * ROW_BYTES
    const bytes = batch.readUInt32LE(at + ROW.bodyBytes)
    const crc = batch.readUInt32LE(at + ROW.bodyCrc)
    const text = batch.subarray(cursor, cursor + bytes)
    const body = { segment: head.segment, position: start + cursor, bytes, crc }
    rows.push(decodeRow(batch, at, body, text))
    cursor += bytes
  }
  return rows
}

function decodeRow(batch: Buffer, at: number, body: BodyPlace, content: Buffer): FoundRow {
  const kind = ROW_KINDS[batch.readUInt8(at + ROW.kind)]
  assert(kind !== undefined, 'a directory with an intact checksum has only known kinds of row')
  const intact = body.bytes === 0 || crc32(content) === body.crc
  const hasVote = batch.readUInt8(at + ROW.hasVote) === 1
  return {
    kind,
    arc: batch.readUInt16LE(at + ROW.arc),
    term: readUint64(batch, at + ROW.term),
    vote: hasVote && intact ? content.toString('utf8') : null,
    first: readUint64(batch, at + ROW.first),
    last: readUint64(batch, at + ROW.last),
    lastTerm: readUint64(batch, at + ROW.lastTerm),
    body,
    intact,
  }
}

/** True when every sector of the batch carries its stamp: the whole write reached the disk once. */
export function isFullyStamped(segment: Buffer, head: Head): boolean {
  return unstampedSectors(segment, head).length === 0
}

/**
 * Offsets of sectors that arrived and carry another stamp than their batch's. One that never arrived
 * is all zeroes: a power cut leaves it behind the bodies of a batch that is whole.
 */
export function alteredStamps(segment: Buffer, head: Head): number[] {
  return unstampedSectors(segment, head).filter((at) => !isZeroSector(segment, at))
}

function unstampedSectors(segment: Buffer, head: Head): number[] {
  const stamp = stampOf(head.batchSeq)
  const end = Math.min((head.block + head.blockCount) * BLOCK_BYTES, segment.length)
  const found: number[] = []
  for (let at = head.block * BLOCK_BYTES; at < end; at += SECTOR_BYTES) {
    if (segment.readUInt32LE(at) !== stamp) found.push(at)
  }
  return found
}

const ZERO_SECTOR = Buffer.alloc(SECTOR_BYTES)

function isZeroSector(segment: Buffer, at: number): boolean {
  return segment.subarray(at, at + SECTOR_BYTES).equals(ZERO_SECTOR)
}

/** Entries `from … to` out of the body of a row whose first entry is `first`. */
export function decodeEntries(
  body: Buffer,
  first: LogIndex,
  range: { readonly from: LogIndex; readonly to: LogIndex },
): LogEntry[] {
  const entries: LogEntry[] = []
  let cursor = 0
  for (let index = first; index <= range.to; index += 1) {
    const bytes = body.readUInt32LE(cursor + 8)
    const start = cursor + ENTRY_HEAD_BYTES
    if (index >= range.from) {
      const payload = body.toString('utf8', start, start + bytes)
      entries.push(entryOf(body, cursor, { index, payload }))
    }
    cursor = start + bytes
  }
  return entries
}

function entryOf(
  body: Buffer,
  at: number,
  { index, payload }: { readonly index: LogIndex; readonly payload: string },
): LogEntry {
  const code = body.readUInt8(at + ENTRY_KIND)
  const high = body.readUInt32LE(at + 4) % KIND_PLACE
  const term = body.readUInt32LE(at) + high * 0x100000000
  if (code === 0) return { index, term, payload }
  const kind = ENTRY_KINDS[code]
  assert(kind !== undefined, 'a body with an intact checksum has only known kinds of entry')
  return { index, term, payload, kind }
}

/** Where the kind begins in the upper half of the eight bytes that it shares with a term: 2^24. */
const KIND_PLACE = 0x1000000
