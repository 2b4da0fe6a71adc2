import { crc32 } from 'node:zlib'
import { AppError } from '../base/app-error.js'
import { assert } from '../base/assert.js'
import type { Instant } from '../base/ids.js'
import type { Files } from '../ports/files.js'

/**
 * Who this data folder belongs to, in two checksummed copies. Each write goes to the older copy, so
 * that a torn one leaves the newer. A copy is one block: a readable line of magic, checksum and
 * length, then JSON.
 *
 * B1: `bootEpoch` is durable in both copies before a process life does anything that others see.
 * B2: fields that this version does not know are kept.
 */
export interface Superblock {
  readonly format: number
  readonly clusterId: string
  readonly nodeId: string
  /** Random, made once: a wiped disk is another store. */
  readonly storeId: string
  readonly name: string
  /** Rises with every life of the process; 0 before the first. */
  readonly bootEpoch: number
  readonly arcCount: number
  readonly prefixLen: number
  readonly hashName: string
  /** Raised by unsafe recovery. */
  readonly recoveryGen: number
  /** Latest wall clock that this node has seen, in milliseconds since 1970. */
  readonly maxTimeSeen: Instant
  readonly cleanShutdown: boolean
  /** Number of the log's last batch at the last clean shutdown: it never ends before; 0: none yet. */
  readonly logEnd: number
}

export const SUPERBLOCK_FORMAT = 1

const PATHS = ['superblock-a', 'superblock-b'] as const
const MAGIC = 'GYRE-SUPERBLOCK'
const FIRST_LINE = /^GYRE-SUPERBLOCK ([0-9a-f]{8}) (\d+) (\d+)\n/
const COPY_BYTES = 4096

type Fields = Readonly<Record<string, unknown>>

interface Copy {
  readonly path: string
  /** Counts the writes; the higher one is newer. */
  readonly writeSeq: number
  readonly fields: Fields
}

type Found = Copy | { readonly path: string; readonly fault: 'absent' | 'damaged' }

/** Makes the superblock of a new node. @throws AppError data_folder_not_empty */
export function createSuperblock(
  files: Files,
  identity: Omit<Superblock, 'format' | 'bootEpoch' | 'cleanShutdown' | 'logEnd'>,
): Superblock {
  if (PATHS.some((path) => files.exists(path))) throw notEmpty()
  const fields = {
    ...identity,
    format: SUPERBLOCK_FORMAT,
    bootEpoch: 0,
    cleanShutdown: true,
    logEnd: 0,
  }
  const first = { path: PATHS[0], writeSeq: 1, fields }
  writeCopy(files, first)
  writeCopy(files, { path: PATHS[1], writeSeq: 2, fields })
  return fields
}

/**
 * The newest intact copy.
 *
 * @throws AppError superblock_missing, superblock_damaged, superblock_conflict, superblock_too_new
 */
export function loadSuperblock(files: Files): Superblock {
  return decode(newest(files).fields)
}

/** Copies that cannot be read: one of them is mended by the next write, without both no node starts. */
export function damagedCopies(files: Files): string[] {
  return PATHS.filter((path) => !isCopy(readCopy(files, path)))
}

/**
 * Begins a life of the process: raises `bootEpoch` and notes that no clean end has been seen yet, in
 * both copies, so that neither a torn write nor the loss of one copy can bring an epoch back.
 */
export function beginBoot(files: Files): Superblock {
  const { bootEpoch } = loadSuperblock(files)
  const changes = { bootEpoch: bootEpoch + 1, cleanShutdown: false }
  update(files, changes)
  return update(files, changes)
}

/**
 * The last write of a life that ended in good order. It says where the log ended, so that the next
 * life notices when that end is gone.
 */
export function noteCleanShutdown(
  files: Files,
  end: { readonly now: Instant; readonly logEnd: number },
): Superblock {
  const maxTimeSeen = Math.max(loadSuperblock(files).maxTimeSeen, end.now)
  return update(files, { cleanShutdown: true, maxTimeSeen, logEnd: end.logEnd })
}

/** Writes changed fields over the older copy; durable when it returns. */
function update(files: Files, changes: Partial<Superblock>): Superblock {
  const current = newest(files)
  const other = current.path === PATHS[0] ? PATHS[1] : PATHS[0]
  const fields = { ...current.fields, ...changes }
  writeCopy(files, { path: other, writeSeq: current.writeSeq + 1, fields })
  return decode(fields)
}

function newest(files: Files): Copy {
  const found = PATHS.map((path) => readCopy(files, path))
  const [best, other] = found.filter(isCopy).sort((a, b) => b.writeSeq - a.writeSeq)
  if (best === undefined) {
    throw found.every((copy) => !isCopy(copy) && copy.fault === 'absent') ? missing() : damaged()
  }
  refuseNewer(best)
  if (other !== undefined) refuseConflict(best, other)
  return best
}

function isCopy(found: Found): found is Copy {
  return 'fields' in found
}

function readCopy(files: Files, path: string): Found {
  if (!files.exists(path)) return { path, fault: 'absent' }
  const content = Buffer.from(files.read(path))
  const match = FIRST_LINE.exec(content.toString('latin1'))
  if (match === null) return { path, fault: 'damaged' }
  const [line, crc = '', writeSeq, length] = match
  const json = content.subarray(line.length, line.length + Number(length))
  const fields = crcOf(Number(writeSeq), json) === crc ? parse(json) : null
  return fields === null ? { path, fault: 'damaged' } : { path, writeSeq: Number(writeSeq), fields }
}

function writeCopy(files: Files, { path, writeSeq, fields }: Copy): void {
  const json = Buffer.from(JSON.stringify(fields), 'utf8')
  const line = `${MAGIC} ${crcOf(writeSeq, json)} ${writeSeq} ${json.length}\n`
  const content = Buffer.alloc(COPY_BYTES, ' ')
  assert(line.length + json.length <= COPY_BYTES, 'a superblock fits in one block')
  content.write(line, 0, 'latin1')
  json.copy(content, line.length)
  files.writeDurably(path, content)
}

function crcOf(writeSeq: number, json: Buffer): string {
  return crc32(json, crc32(String(writeSeq)))
    .toString(16)
    .padStart(8, '0')
}

function parse(json: Buffer): Fields | null {
  const value: unknown = JSON.parse(json.toString('utf8'))
  return typeof value === 'object' && value !== null ? { ...value } : null
}

/** An intact copy of a known format was written by this code or a later version of it. */
function decode(fields: Fields): Superblock {
  return fields as unknown as Superblock
}

function refuseNewer({ path, fields }: Copy): void {
  if (typeof fields['format'] === 'number' && fields['format'] <= SUPERBLOCK_FORMAT) return
  throw new AppError(
    'superblock_too_new',
    `"${path}" has format ${String(fields['format'])}, this version of Gyre reads up to ` +
      `${SUPERBLOCK_FORMAT}: start the newer version that wrote it`,
  )
}

function refuseConflict(best: Copy, other: Copy): void {
  const differs = ['clusterId', 'nodeId', 'storeId'].find(
    (field) => best.fields[field] !== other.fields[field],
  )
  if (differs === undefined) return
  throw new AppError(
    'superblock_conflict',
    `the two superblock copies name different nodes (${differs}): files of two data folders were ` +
      'mixed. Restore this folder from where it was copied; nothing was changed',
  )
}

function missing(): AppError {
  return new AppError(
    'superblock_missing',
    'the data folder holds no node: give --init to make a new ring of one node, or --join to join ' +
      'one. If a node lived here, its disk is lost or not mounted; nothing was created',
  )
}

function damaged(): AppError {
  return new AppError(
    'superblock_damaged',
    `neither "${PATHS[0]}" nor "${PATHS[1]}" is readable: check the disk, and restore one of them ` +
      'from a backup, or start a new node in an empty folder; nothing was changed',
  )
}

function notEmpty(): AppError {
  return new AppError(
    'data_folder_not_empty',
    'a node lives in this data folder already: start it without --init, or choose an empty folder',
  )
}
