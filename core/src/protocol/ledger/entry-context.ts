import type { ArcId, Instant, LogIndex, Term } from '../../base/ids.js'
import { Prng } from '../../base/prng.js'
import type { Rows } from '../state/rows.js'
import type { EntryStamp } from './command.js'
import type { LedgerEffect } from './effects.js'
import { JobEdit } from './job-edit.js'
import { partsOfNew } from './job-parts.js'
import { type JobRow, type JobTerms, newJob } from './job-row.js'
import { type CountsRow, keys, type PlanRow } from './rows-layout.js'
import type { LedgerTally } from './tally.js'
import type { TaskPlace } from './task-rows.js'
import { isCounted } from './upgrade-rows.js'
import { FIRST_GENERATION, packVersion } from './version.js'

/**
 * One entry while it is applied: its stamp, the rows it changes, the jobs it touches, and what it
 * causes outside. Jobs and counts are written back once, when the entry is done.
 */
export class EntryContext {
  readonly rows: Rows
  /** Arc time, milliseconds since 1970: the only clock of apply. */
  readonly at: Instant
  readonly arc: ArcId
  readonly term: Term
  readonly index: LogIndex
  readonly hash: HashText
  /** Counts what this entry brings about; null: it was counted before, or nobody counts. */
  readonly tally: LedgerTally | null
  /** In the order in which they came about. */
  readonly effects: LedgerEffect[] = []
  readonly #seed: number
  #prng: Prng | undefined
  readonly #jobs = new Map<string, JobEdit>()
  readonly #readyDeltas = new Map<string, number>()
  readonly #jobDeltas = new Map<string, number>()
  /** By the names of definitions; made for the first: most jobs have none. */
  #namedDeltas: Map<string, Map<string, number>> | undefined
  readonly #madeReady: MadeReady[] = []
  #timersChanged = false

  constructor(options: EntryOptions) {
    this.rows = options.rows
    this.at = options.stamp.t
    this.#seed = options.stamp.s
    this.arc = options.position.arc
    this.term = options.position.term
    this.index = options.position.index
    this.hash = options.hash
    this.tally = options.tally
  }

  /** The entry's dice; drawn in the order of apply, so equal everywhere. */
  get prng(): Prng {
    this.#prng ??= new Prng(this.#seed)
    return this.#prng
  }

  /** A number that only rises: the record version, and the least fence, that this entry gives. */
  get version(): number {
    return packVersion(FIRST_GENERATION, this.index)
  }

  /** True when a timer row was put or deleted. */
  get timersChanged(): boolean {
    return this.#timersChanged
  }

  get readyChanged(): boolean {
    return hasChange(this.#readyDeltas)
  }

  /** Queues (ready-name.ts) that tasks came into or left, be their number what it was. */
  get readyNames(): Iterable<string> {
    return this.#readyDeltas.keys()
  }

  /** What became ready in this entry; it may have been started, or given up, since. */
  get madeReady(): readonly MadeReady[] {
    return this.#madeReady
  }

  noteReady(edit: JobEdit, place: TaskPlace): void {
    this.#madeReady.push({ edit, place })
  }

  /** The job as this entry has changed it so far; undefined when there is none. */
  job(id: string): JobEdit | undefined {
    const open = this.#jobs.get(id)
    if (open !== undefined) return open
    const row = this.rows.get<JobRow>(keys.job(id))
    if (row === undefined) return undefined
    const edit = JobEdit.ofStored(this, row)
    this.#jobs.set(id, edit)
    return edit
  }

  createJob(id: string, planRow: PlanRow, terms: JobTerms): JobEdit {
    const parts = partsOfNew(planRow)
    if (parts === undefined) this.rows.insert(keys.plan(id), planRow)
    const own = parts === undefined ? terms : { parts, ...terms }
    const edit = JobEdit.ofNew(this, newJob(id, planRow.plan, this.at, own))
    this.#jobs.set(id, edit)
    return edit
  }

  noteTimersChanged(): void {
    this.#timersChanged = true
  }

  /** @param name  of service and priority (ready-name.ts) */
  countReady(name: string, delta: number): void {
    if (delta !== 0) this.#readyDeltas.set(name, (this.#readyDeltas.get(name) ?? 0) + delta)
  }

  countJobs({ id, job: name }: Pick<JobRow, 'id' | 'job'>, status: string, delta: number): void {
    addTo(this.#jobDeltas, status, delta)
    if (name === null || !isCounted(this.rows, id)) return
    this.#namedDeltas ??= new Map()
    const named = this.#namedDeltas.get(name) ?? new Map<string, number>()
    this.#namedDeltas.set(name, named)
    addTo(named, status, delta)
  }

  /** Writes back what the entry changed. The jobs' order is that of apply: equal everywhere. */
  save(): void {
    for (const edit of this.#jobs.values()) edit.save()
    this.#saveCounts(keys.readyCounts, this.#readyDeltas)
    this.#saveCounts(keys.jobCounts, this.#jobDeltas)
    if (this.#namedDeltas === undefined) return
    for (const [name, deltas] of this.#namedDeltas) this.#saveCounts(keys.namedCounts(name), deltas)
  }

  /** What went up and down again changes nothing. Members are kept sorted: equal counts make equal rows, whatever led to them. */
  #saveCounts(key: string, deltas: ReadonlyMap<string, number>): void {
    if (!hasChange(deltas)) return
    const before = this.rows.get<CountsRow>(key)?.counts ?? {}
    const names = Object.keys(before)
    for (const name of deltas.keys()) if (!Object.hasOwn(before, name)) insertSorted(names, name)
    const counts: Record<string, number> = {}
    for (const name of names) {
      const count = (before[name] ?? 0) + (deltas.get(name) ?? 0)
      if (count !== 0) counts[name] = count
    }
    const row: CountsRow = { counts }
    this.rows.put(key, row)
  }
}

/**
 * Into the few that there are: to sort them again would cost more than all else here. From the end, since an
 * object has the names that are whole numbers first, in an order of their own.
 */
function insertSorted(names: string[], name: string): void {
  names.splice(names.findLastIndex((other) => other < name) + 1, 0, name)
}

function hasChange(deltas: ReadonlyMap<string, number>): boolean {
  for (const delta of deltas.values()) if (delta !== 0) return true
  return false
}

function addTo(sums: Map<string, number>, name: string, delta: number): void {
  sums.set(name, (sums.get(name) ?? 0) + delta)
}

/** A task, or with index null the next items of a `forEach`. */
export interface MadeReady {
  readonly edit: JobEdit
  readonly place: TaskPlace
}

/** SHA-256 cut to 32 hex digits; handed in, since pure code has no crypto. */
export type HashText = (text: string) => string

export interface EntryPosition {
  readonly arc: ArcId
  readonly term: Term
  readonly index: LogIndex
}

export interface EntryOptions {
  readonly rows: Rows
  readonly stamp: EntryStamp
  readonly position: EntryPosition
  readonly hash: HashText
  readonly tally: LedgerTally | null
}
