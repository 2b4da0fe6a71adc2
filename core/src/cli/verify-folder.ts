import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DirectoryLock } from '../adapters/directory-lock.js'
import { isAside } from '../adapters/log-store/format.js'
import { LogScan, type ScanResult } from '../adapters/log-store/log-scan.js'
import { type BehindDamage, scanBehind } from '../adapters/log-store/scan-behind.js'
import { RealFiles } from '../adapters/real-files.js'
import { SqliteTable } from '../adapters/sqlite-table.js'
import { damagedCopies, loadSuperblock } from '../adapters/superblock.js'
import { AppError } from '../base/app-error.js'
import { type ArcId, arcName, type LogIndex } from '../base/ids.js'
import { FileError } from '../ports/files.js'
import { damagedStop, lostStop } from '../protocol/ledger/arc-stop.js'
import { type Cover, coverOf, type DurableState } from '../protocol/node/log-cover.js'
import { reachFault } from '../protocol/node/log-reach.js'
import { damageOf } from '../protocol/state/damage.js'
import { markedArcs, storedArcs } from '../protocol/state/stored-arcs.js'

/** What is wrong with a data folder, or worth knowing of it. */
export interface Finding {
  readonly part: 'superblock' | 'log' | 'state'
  readonly code: string
  readonly message: string
}

export interface Verdict {
  readonly ok: boolean
  /** Null where it cannot be read. */
  readonly node: string | null
  readonly log: { readonly segments: number; readonly lastBatch: number; readonly arcs: number }
  /** Arcs that have rows. */
  readonly state: { readonly arcs: number }
  /** Damage: each says what to do. */
  readonly faults: readonly Finding[]
  /** What the next start repairs by itself, and what costs nothing. */
  readonly notes: readonly Finding[]
}

/** Verified in one look. */
const SCRUB_BOUNDS = { rowsMax: 10_000, charsMax: 16 * 1024 * 1024 }

/**
 * Checks the files of a node that does not run: both copies of its superblock, every batch of its log
 * with the chain between them, every row of its state, and that the log goes on where the state ends.
 * It repairs nothing.
 *
 * @throws AppError data_folder_in_use while a node runs on it
 */
export function verifyFolder(folder: string): Verdict {
  const lock = DirectoryLock.take(folder)
  try {
    return new Verification(folder).run()
  } finally {
    lock.release()
  }
}

/** What a start goes by: it does not read all rows, and knows of no rot that only a scrub finds. */
function asLoaded(
  applied: ReadonlyMap<ArcId, LogIndex>,
  known: ReadonlyMap<ArcId, string>,
): DurableState {
  return {
    applied: [...applied].filter(([arc]) => !known.has(arc)),
    damaged: [...known].map(([arc, found]) => [arc, found, applied.get(arc) ?? 0]),
  }
}

const COVERED =
  'The state holds all that stood there: the next start gives up this segment and those before it, and ' +
  'nothing is lost. Check the disk'

class Verification {
  readonly #folder: string
  readonly #files: RealFiles
  readonly #faults: Finding[] = []
  readonly #notes: Finding[] = []
  #stateArcs = 0
  /** What was found in rows of these arcs. */
  readonly #damaged = new Map<ArcId, string>()
  /** What a start would be told of the state; null: it cannot be used. */
  #durable: DurableState | null = null
  /** What is left of a damaged log if its damaged segments go. */
  #behind: BehindDamage | null = null

  constructor(folder: string) {
    this.#folder = folder
    this.#files = new RealFiles(folder)
  }

  run(): Verdict {
    const superblock = this.#told('superblock', () => loadSuperblock(this.#files))
    for (const path of damagedCopies(this.#files)) {
      const message = `${path} is damaged or absent; the next start writes it from the other copy`
      this.#notes.push({ part: 'superblock', code: 'superblock_copy_damaged', message })
    }
    const scan = this.#told('log', () => new LogScan(this.#files, 'log').run())
    const logEnd = superblock?.logEnd ?? 0
    if (scan !== null) this.#checkLog(scan, logEnd)
    const isWhole = scan !== null && scan.lastSeq >= logEnd
    this.#behind = isWhole ? this.#told('log', () => scanBehind(this.#files, 'log', scan)) : null
    this.#told('state', () => this.#checkState(scan))
    if (scan !== null) this.#checkDamage(scan)
    return {
      ok: this.#faults.length === 0,
      node: superblock?.nodeId ?? null,
      log: {
        segments: scan?.segments.size ?? 0,
        lastBatch: scan?.lastSeq ?? 0,
        arcs: scan?.arcs.size ?? 0,
      },
      state: { arcs: this.#stateArcs },
      faults: this.#faults,
      notes: this.#notes,
    }
  }

  #checkLog(scan: ScanResult, logEnd: number): void {
    if (scan.lastSeq < logEnd) {
      const message =
        `the log ends at batch ${scan.lastSeq}, but the node once shut down in good order after ` +
        `batch ${logEnd}: restore the folder \`log\` from a backup`
      this.#faults.push({ part: 'log', code: 'log_lost', message })
    }
    for (const message of scan.harmlessRot) {
      this.#notes.push({ part: 'log', code: 'log_stamp_altered', message })
    }
    for (const name of this.#files.list('log').filter(isAside)) {
      const message =
        `log/${name} was damaged and is kept as evidence: a node found it and gave it up, the ` +
        'state holds what stood in it. Check the disk; the file can be removed'
      this.#notes.push({ part: 'log', code: 'log_segment_set_aside', message })
    }
    if (scan.cuts.length === 0) return
    const message =
      'the log ends in a torn batch, acknowledged to nobody; the next start cuts it off'
    this.#notes.push({ part: 'log', code: 'log_torn', message })
  }

  /** Damage that the state covers costs nothing: the next start gives it up. */
  #checkDamage({ damaged }: ScanResult): void {
    const cover = this.#cover
    for (const { message } of damaged) {
      if (cover?.kind === 'covered') {
        const text = `${message}. ${COVERED}`
        this.#notes.push({ part: 'log', code: 'log_segment_damaged', message: text })
      } else {
        const text = cover === null ? message : `${message}; ${cover.message}`
        this.#faults.push({ part: 'log', code: 'log_damaged', message: text })
      }
    }
  }

  /** As a start decides; null: the log cannot be used whatever the state holds. */
  get #cover(): Cover | null {
    if (this.#behind === null || this.#durable === null) return null
    return coverOf(this.#behind.price, this.#durable)
  }

  /** A state store that is missing is rebuilt, if the log reaches back to its beginning. */
  #checkState(scan: ScanResult | null): void {
    const folder = join(this.#folder, 'state')
    if (!existsSync(join(folder, 'state.db'))) {
      this.#durable = { applied: [], damaged: [] }
      return this.#checkRebuild(scan)
    }
    const table = SqliteTable.open(folder, { keepsFormat: true })
    try {
      for (let key: string | null = ''; key !== null; ) key = this.#scrubFrom(table, key)
      const applied = new Map<ArcId, LogIndex>()
      const known = new Map<ArcId, string>()
      for (const stored of storedArcs(table)) {
        if ('found' in stored) known.set(stored.arc, stored.found)
        else applied.set(stored.arc, stored.applied)
      }
      for (const { arc, found } of markedArcs(table)) known.set(arc, found)
      for (const [arc, found] of known) this.#damaged.set(arc, found)
      this.#durable = asLoaded(applied, known)
      for (const [arc, found] of this.#damaged) {
        this.#addDamage(scan, arc, found)
        applied.delete(arc)
      }
      if (applied.size + this.#damaged.size === 0) return this.#checkRebuild(scan)
      this.#stateArcs = applied.size
      this.#checkReach(scan, applied)
    } finally {
      table.close()
    }
  }

  /** @returns where to go on; null: nothing is left */
  #scrubFrom(table: SqliteTable, key: string): string | null {
    try {
      return table.scrub(key, SCRUB_BOUNDS).next
    } catch (error) {
      const damage = damageOf(error)
      if (damage === null) throw error
      if (!this.#damaged.has(damage.arc)) this.#damaged.set(damage.arc, damage.found)
      return damage.key
    }
  }

  #addDamage(scan: ScanResult | null, arc: ArcId, found: string): void {
    const cover = this.#cover
    const isKept = cover?.kind !== 'covered' || cover.keep.has(arc)
    const givenUp = isKept ? 0 : (this.#behind?.price.cost.get(arc) ?? 0)
    const firstIndex = Math.max(scan?.arcs.get(arc)?.firstIndex ?? 1, givenUp + 1)
    const { message } = firstIndex <= 1 ? damagedStop(found) : lostStop(found, firstIndex)
    const fault = {
      part: 'state',
      code: 'arc_damaged',
      message: `${arcName(arc)}: ${message}`,
    } as const
    this.#faults.push(fault)
  }

  #checkRebuild(scan: ScanResult | null): void {
    if (!this.#checkReach(scan, new Map())) return
    const message =
      'the folder `state` holds no rows; the next start rebuilds it from the log, which reaches ' +
      'back to its beginning'
    this.#notes.push({ part: 'state', code: 'state_missing', message })
  }

  /** @returns false where something is lost */
  #checkReach(scan: ScanResult | null, applied: ReadonlyMap<number, number>): boolean {
    const before = this.#faults.length
    for (const arc of new Set([...(scan?.arcs.keys() ?? []), ...applied.keys()])) {
      if (this.#damaged.has(arc)) continue
      const index = scan?.arcs.get(arc)
      const { firstIndex = 1, lastIndex = 0 } = index ?? {}
      const fault = reachFault(arc, { firstIndex, lastIndex }, applied.get(arc) ?? 0)
      if (fault !== null) this.#faults.push({ part: 'state', ...fault })
    }
    return this.#faults.length === before
  }

  #told<T>(part: Finding['part'], look: () => T): T | null {
    try {
      return look()
    } catch (error) {
      if (!(error instanceof AppError || error instanceof FileError)) throw error
      const code = error instanceof AppError ? error.code : `${part}_unreadable`
      this.#faults.push({ part, code, message: error.message })
      return null
    }
  }
}
