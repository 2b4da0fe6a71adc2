import type { ArcId, LogIndex, Term } from '../../base/ids.js'
import type { EntryKind } from '../../ports/log-store.js'

/**
 * How bytes lie in a segment. Its job: positions, stamps and the layout of a batch's head and of its
 * directory rows. Building and parsing are in batch-writer.ts and batch-reader.ts; the story with
 * its reasons stands in core/docs/protocol/log.md.
 *
 * A segment is an array of 512-byte sectors. The first 4 bytes of each sector are its batch's stamp,
 * the other 508 are payload. *Payload position* means an offset in the segment counted without
 * stamps; *file offset* is the real one. A batch begins at a 4 KiB block and fills whole blocks.
 */
export const SECTOR_BYTES = 512
export const STAMP_BYTES = 4
export const SECTOR_PAYLOAD_BYTES = SECTOR_BYTES - STAMP_BYTES
export const BLOCK_BYTES = 4096
export const SECTORS_PER_BLOCK = BLOCK_BYTES / SECTOR_BYTES
export const BLOCK_PAYLOAD_BYTES = SECTORS_PER_BLOCK * SECTOR_PAYLOAD_BYTES

export const HEAD_BYTES = 64
export const ROW_BYTES = 48
/**
 * Before each entry's payload: term (8 bytes) and payload length (4). A term is a safe integer, so its
 * last byte is free: it holds the entry's kind, 0 for a command.
 */
export const ENTRY_HEAD_BYTES = 12
export const ENTRY_KIND = 7
export const ENTRY_KINDS: readonly (EntryKind | undefined)[] = [undefined, 'no-op', 'config']

export const MAGIC = 0x4c525947
/** The newest format; a batch says 1 as long as a reader of that one understands all of it. */
export const FORMAT_VERSION = 2
/** In which there were only commands, and no `reset` rows. */
export const FIRST_FORMAT_VERSION = 1

/** Offsets in the head; all numbers little-endian, 32 bits unless said otherwise. */
export const HEAD = {
  magic: 0,
  version: 4,
  opening: 6,
  batchSeq: 8,
  segment: 16,
  block: 20,
  oldestSegment: 24,
  previousCrc: 28,
  blockCount: 32,
  rowCount: 36,
  bodyBytes: 40,
  directoryCrc: 44,
  headCrc: 60,
} as const

/** Offsets in a directory row. */
export const ROW = {
  kind: 0,
  hasVote: 1,
  arc: 2,
  bodyBytes: 4,
  bodyCrc: 8,
  count: 12,
  term: 16,
  first: 24,
  last: 32,
  lastTerm: 40,
} as const

export const ROW_KINDS = [
  'hard-state',
  'append',
  'relocate',
  'checkpoint',
  'first-index',
  'reset',
] as const
export type RowKind = (typeof ROW_KINDS)[number]

/** One line of a batch's directory: what happened to one arc. */
export interface Row {
  readonly kind: RowKind
  readonly arc: ArcId
  /** hard-state, checkpoint. */
  readonly term: Term
  readonly vote: string | null
  /** append, relocate: first and last index of the body; checkpoint: what is held; first-index: `first`; reset: nothing, from `first` on. */
  readonly first: LogIndex
  readonly last: LogIndex
  readonly lastTerm: Term
}

export interface Head {
  /** It repeats the state of all arcs: a log can begin here. */
  readonly opening: boolean
  /** Consecutive over the whole log, from 1. */
  readonly batchSeq: number
  readonly segment: number
  readonly block: number
  /** Segments below this number are not needed any more. */
  readonly oldestSegment: number
  readonly previousCrc: number
  readonly blockCount: number
  readonly rowCount: number
  readonly bodyBytes: number
  readonly directoryCrc: number
  /** Covers the head, through it the directory, through that every body: the batch's checksum. */
  readonly headCrc: number
}

/** Where a row's body lies. */
export interface BodyPlace {
  readonly segment: number
  /** Payload position in the segment. */
  readonly position: number
  readonly bytes: number
  readonly crc: number
}

/** Never 0, so that a sector of preallocated zeroes carries no batch's stamp. */
export function stampOf(batchSeq: number): number {
  return (batchSeq % 0xffffffff) + 1
}

/** Whole blocks that a batch of `payloadBytes` (head, rows and bodies) fills. */
export function blocksFor(payloadBytes: number): number {
  return Math.ceil(payloadBytes / BLOCK_PAYLOAD_BYTES)
}

export function writeUint64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeUInt32LE(value % 0x100000000, offset)
  buffer.writeUInt32LE(Math.floor(value / 0x100000000), offset + 4)
}

export function readUint64(buffer: Buffer, offset: number): number {
  return buffer.readUInt32LE(offset) + buffer.readUInt32LE(offset + 4) * 0x100000000
}

/**
 * Copies payload out of stamped sectors.
 *
 * @param sectors  raw bytes of the file, from a sector's start on
 * @param position payload position counted from that sector's start
 */
export function unstamp(sectors: Buffer, position: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(bytes)
  let copied = 0
  while (copied < bytes) {
    const at = position + copied
    const inSector = at % SECTOR_PAYLOAD_BYTES
    const from = Math.floor(at / SECTOR_PAYLOAD_BYTES) * SECTOR_BYTES + STAMP_BYTES + inSector
    const length = Math.min(SECTOR_PAYLOAD_BYTES - inSector, bytes - copied)
    sectors.copy(payload, copied, from, from + length)
    copied += length
  }
  return payload
}

/** Names sort in number order. */
export function segmentName(number: number): string {
  return `segment-${String(number).padStart(10, '0')}`
}

/** The number in a segment's file name; null for any other file. */
export function segmentNumberOf(name: string): number | null {
  const digits = /^segment-(\d{10})$/.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Made under this name, so that a half-made file never counts as a segment. */
export const SPARE_IN_MAKING = 'spare.part'

const ASIDE = '.damaged'

/** Of a damaged segment that was given up: no segment's name, and in the same order. */
export function asideName(number: number): string {
  return `${segmentName(number)}${ASIDE}`
}

export function isAside(name: string): boolean {
  return name.endsWith(ASIDE)
}
