import { AppError } from '../../base/app-error.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { ArcRows } from './arc-rows.js'
import { KnownRows } from './known-rows.js'
import { OVERLAY_LIMITS, type OverlayLimits } from './limits.js'
import type { ArcDamage } from './damage.js'
import { arcEnd, arcPrefix, damageMark } from './row-key.js'
import type { Rows } from './rows.js'
import { markedArcs, storedArcs } from './stored-arcs.js'
import type { Table, TableChange } from './table.js'

export interface OverlayOptions {
  readonly limits?: OverlayLimits
  /**
   * Freezes every value that is put or read, and looks before every insert, so that a test catches who
   * writes into a row or inserts over one.
   */
  readonly freeze?: boolean
}

/**
 * The applied state of all arcs: a write-behind overlay over a table. Apply reads and writes it in
 * memory; rows reach the table later, whole arcs at a time. Not its job: when to flush and how much
 * may wait (the ledger's host decides), nor what a row means.
 *
 * S1  A commit holds all rows that an arc changed since its last commit, and its applied index, or
 *     nothing of the arc: the table always shows each arc exactly as it was after some entry.
 * S2  Nothing is committed in the middle of an entry.
 * S3  A commit that failed changes nothing here: the same rows are committed at the next try.
 * S4  Of an arc that is known to be damaged nothing is committed, and nothing counts as durable: what was
 *     committed before stays as it is until `rebuild`, over restarts too.
 */
export class Overlay {
  readonly #table: Table
  readonly #known: KnownRows
  readonly #limits: OverlayLimits
  readonly #freeze: boolean
  readonly #arcs = new Map<ArcId, ArcRows>()
  /** Arcs with something to commit, the longest dirty first. */
  readonly #dirtyArcs = new Set<ArcId>()
  /** Arcs whose rows cannot be trusted: what was found. */
  readonly #damaged = new Map<ArcId, string>()
  /** Those of them of which the table does not know yet. */
  readonly #unmarked = new Set<ArcId>()
  #dirtyRows = 0

  /** @throws AppError `state_damaged` when the table's applied indexes cannot be trusted */
  constructor(table: Table, options: OverlayOptions = {}) {
    this.#table = table
    this.#limits = options.limits ?? OVERLAY_LIMITS
    this.#freeze = options.freeze ?? false
    this.#known = new KnownRows(this.#limits)
    for (const { arc, found } of markedArcs(table)) this.#damaged.set(arc, found)
    for (const stored of storedArcs(table)) {
      if ('found' in stored) this.noteDamage(stored)
      else this.#openArc(stored.arc, stored.applied)
    }
  }

  /** The rows of one arc; always the same object for the same arc. */
  rows(arc: ArcId): Rows {
    return this.#arc(arc)
  }

  /** States that entry `index` of `arc` has been applied completely: all its rows are put. */
  setApplied(arc: ArcId, index: LogIndex): void {
    this.#arc(arc).setApplied(index)
  }

  /** Index of the arc's last entry that was applied; 0 when there is none. */
  applied(arc: ArcId): LogIndex {
    return this.#arcs.get(arc)?.applied ?? 0
  }

  /** Every arc that has applied an entry, in order of arcs. */
  appliedArcs(): (readonly [ArcId, LogIndex])[] {
    return this.#indexes((rows) => rows.applied)
  }

  /** Arcs whose rows cannot be trusted, what was found, and the applied index as far as it is known. */
  get damagedArcs(): readonly (readonly [ArcId, string, LogIndex])[] {
    return [...this.#damaged].map(([arc, found]) => [arc, found, this.applied(arc)])
  }

  /** Gives up what is not committed of the arc. @returns false: it was known to be damaged */
  noteDamage({ arc, found }: ArcDamage): boolean {
    if (this.#damaged.has(arc)) return false
    this.#damaged.set(arc, found)
    this.#unmarked.add(arc)
    this.#arcs.get(arc)?.giveUp()
    this.#dirtyArcs.delete(arc)
    this.#mark()
    return true
  }

  /** At once: whoever is told of it may start the node again. On a full disk it goes with the next flush. */
  #mark(): void {
    try {
      this.#table.commit(this.#marks())
      this.#unmarked.clear()
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'state_full') throw error
    }
  }

  #marks(): TableChange[] {
    return [...this.#unmarked].map((arc) => ({
      key: damageMark(arc),
      value: JSON.stringify({ found: this.#damaged.get(arc) }),
    }))
  }

  /**
   * Removes all rows of a damaged arc: its log will be applied from its first entry on.
   *
   * @throws AppError `state_full` as the table does; then nothing has changed, or not all
   */
  rebuild(arc: ArcId): void {
    this.#table.clear(arcPrefix(arc), arcEnd(arc))
    this.#table.commit([{ key: damageMark(arc), value: undefined }])
    this.#arcs.delete(arc)
    this.#known.forgetArc(arc)
    this.#damaged.delete(arc)
    this.#unmarked.delete(arc)
  }

  /** Rows, deletions, applied indexes and marks that are not committed yet. */
  get dirtyRowCount(): number {
    return this.#dirtyRows + this.#unmarked.size
  }

  /** How much of the state is in memory. */
  get figures(): { dirtyRows: number; knownRows: number; knownChars: number } {
    const { size, chars } = this.#known
    return { dirtyRows: this.#dirtyRows, knownRows: size, knownChars: chars }
  }

  /**
   * Commits whole arcs, the longest dirty first, until at least `maxRows` rows are written or none
   * is dirty; one commit of the table for all of them.
   *
   * @returns rows written, deletions and applied indexes included; 0: nothing was dirty
   * @throws AppError `state_full` as the table does: nothing was written, everything stays dirty and
   *   may be flushed again
   */
  flush(maxRows: number): number {
    const chosen: { readonly arc: ArcId; readonly changes: readonly TableChange[] }[] = []
    const all: TableChange[] = this.#marks()
    for (const arc of this.#dirtyArcs) {
      if (all.length >= maxRows) break
      const changes = this.#arc(arc).changes()
      chosen.push({ arc, changes })
      for (const change of changes) all.push(change)
    }
    if (all.length === 0) return 0
    this.#table.commit(all)
    this.#unmarked.clear()
    for (const { arc, changes } of chosen) {
      this.#arc(arc).becomeClean(changes)
      this.#dirtyArcs.delete(arc)
    }
    return all.length
  }

  /**
   * Makes the commits so far survive a power cut.
   *
   * @returns per arc, the applied index that is durable now: up to there the log may be forgotten.
   *   It is the index of the last commit, which may be less than what memory has applied.
   */
  checkpoint(): (readonly [ArcId, LogIndex])[] {
    const committed = this.#indexes((rows) => rows.committed)
    this.#table.checkpoint()
    return committed
  }

  #indexes(indexOf: (rows: ArcRows) => LogIndex): (readonly [ArcId, LogIndex])[] {
    return [...this.#arcs]
      .map(([arc, rows]) => [arc, indexOf(rows)] as const)
      .filter(([arc, index]) => index > 0 && !this.#damaged.has(arc))
      .sort(([a], [b]) => a - b)
  }

  #arc(arc: ArcId): ArcRows {
    return this.#arcs.get(arc) ?? this.#openArc(arc, 0)
  }

  #openArc(arc: ArcId, applied: LogIndex): ArcRows {
    const rows = new ArcRows(arc, this.#table, this.#known, {
      applied,
      onDirty: (more) => {
        this.#dirtyRows += more
        this.#dirtyArcs.add(arc)
      },
      freeze: this.#freeze,
      limits: this.#limits,
    })
    this.#arcs.set(arc, rows)
    return rows
  }
}
