import { assert, broken } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { SortedKeys } from '../../base/sorted-keys.js'
import { freezeRow } from './freeze.js'
import { ABSENT, type KnownRows } from './known-rows.js'
import type { OverlayLimits } from './limits.js'
import { appliedKey, arcPrefix, assertRowKey, FIRST_ROW_KEY } from './row-key.js'
import type { RowEntry, Rows } from './rows.js'
import type { Table, TableChange, TableRow } from './table.js'
import { type DirtyRow, readVisible } from './visible-rows.js'

export interface ArcRowsOptions {
  /** Applied index found in the table, 0 when none. */
  readonly applied: LogIndex
  /** Called at every change with how many more rows are dirty now, so that the owner knows without asking. */
  readonly onDirty: (more: number) => void
  readonly freeze: boolean
  readonly limits: OverlayLimits
}

/** See A3. */
interface HeadMark {
  readonly to: string
  /** The table's row at `to`, if it is known and short. */
  readonly row?: TableRow
}

/**
 * The rows of one arc: what was changed since the last commit lies here, everything else in the
 * table. Not its job: when to commit, and what is durable (overlay.ts).
 *
 * A1  A key of `#dirty` hides the table's row of the same key, be it a new value or a deletion.
 * A2  `#live` holds exactly the keys of `#dirty` that have a value.
 * A3  A head mark `from → to` says: the table holds no row in [from, to) that A1 does not hide. It
 *     stays true while dirty rows are only added; `becomeClean` follows the live ones into the table,
 *     and cuts each mark at the first of them. With the mark goes the row that the table holds at
 *     `to`, until a commit changes it: whoever asks again for the first row of a range, as for the
 *     next timer in every turn, need not look into the table.
 * A4  `#open` while rows were changed after the last `setApplied`: such rows must not be committed.
 */
export class ArcRows implements Rows {
  readonly #arc: ArcId
  readonly #prefix: string
  readonly #appliedKey: string
  readonly #table: Table
  readonly #known: KnownRows
  readonly #options: ArcRowsOptions
  readonly #dirty = new Map<string, DirtyRow>()
  readonly #live = new SortedKeys()
  readonly #headMarks = new Map<string, HeadMark>()
  #applied: LogIndex
  #committed: LogIndex
  #open = false
  /** Dirty rows that the owner knows of. */
  #told = 0

  constructor(arc: ArcId, table: Table, known: KnownRows, options: ArcRowsOptions) {
    this.#arc = arc
    this.#prefix = arcPrefix(arc)
    this.#appliedKey = appliedKey(arc)
    this.#table = table
    this.#known = known
    this.#options = options
    this.#applied = options.applied
    this.#committed = options.applied
  }

  get applied(): LogIndex {
    return this.#applied
  }

  /** Applied index as the table has it. */
  get committed(): LogIndex {
    return this.#committed
  }

  setApplied(index: LogIndex): void {
    if (index <= this.#applied) broken(`applied index must rise: ${this.#applied} to ${index}`)
    this.#applied = index
    this.#open = false
    this.#noteDirty()
  }

  get<T extends object>(key: string): T | undefined {
    const dirty = this.#dirty.get(key)
    const value = dirty === undefined ? this.#fromTable(key) : this.#valueOf(dirty)
    return value as T | undefined
  }

  put(key: string, value: object): void {
    const dirty = this.#dirty.get(key)
    const maybeInTable = dirty !== undefined || this.#known.get(this.#arc, key) !== ABSENT
    this.#set(key, value, dirty, maybeInTable)
  }

  insert(key: string, value: object): void {
    if (this.#options.freeze) assert(this.get(key) === undefined, `inserted over a row: ${key}`)
    this.#set(key, value, this.#dirty.get(key), false)
  }

  #set(key: string, value: object, dirty: DirtyRow | undefined, maybeInTable: boolean): void {
    if (dirty === undefined) assertRowKey(key)
    if (this.#options.freeze) freezeRow(value)
    if (dirty === undefined) this.#dirty.set(key, { value, maybeInTable })
    else dirty.value = value
    this.#live.add(key)
    this.#open = true
    this.#noteDirty()
  }

  delete(key: string): void {
    const dirty = this.#dirty.get(key)
    if (dirty !== undefined && dirty.value === undefined) return
    this.#live.delete(key)
    if (this.#mayHide(key, dirty)) this.#dirty.set(key, { value: undefined, maybeInTable: true })
    else this.#dirty.delete(key)
    this.#open = true
    this.#noteDirty()
  }

  settle(key: string): void {
    const dirty = this.#dirty.get(key)
    if (typeof dirty?.value === 'object') dirty.value = JSON.stringify(dirty.value)
  }

  firstKey(from: string, to: string): string | undefined {
    const begin = from < FIRST_ROW_KEY ? FIRST_ROW_KEY : from
    if (begin >= to) return undefined
    const live = this.#live.first(begin, to)
    const [row] = this.#head(begin, to, live ?? to, 1)
    const stored = row?.key.slice(this.#prefix.length)
    return live === undefined || (stored !== undefined && stored < live) ? stored : live
  }

  scan<T extends object>(from: string, to: string, limit: number, reverse = false): RowEntry<T>[] {
    const first = from < FIRST_ROW_KEY ? FIRST_ROW_KEY : from
    if (limit <= 0 || first >= to) return []
    const found = reverse ? this.#scanReverse(first, to, limit) : this.#scan(first, to, limit)
    return found as RowEntry<T>[]
  }

  /** Everything not committed yet, the applied index last. */
  changes(): TableChange[] {
    assert(!this.#open, `arc ${this.#prefix}: commit in the middle of an entry`)
    const changes: TableChange[] = []
    for (const [key, { value }] of this.#dirty) {
      const text = typeof value === 'object' ? JSON.stringify(value) : value
      changes.push({ key: this.#prefix + key, value: text })
    }
    changes.push({ key: this.#appliedKey, value: JSON.stringify({ index: this.#applied }) })
    return changes
  }

  /** The arc's rows in the table cannot be trusted: what would be committed over them is given up. */
  giveUp(): void {
    this.#dirty.clear()
    this.#live.clear()
    this.#headMarks.clear()
    this.#applied = this.#committed
    this.#open = false
    this.#noteDirty()
  }

  /** @param changes  what `changes` gave; the table has committed it since, nothing else happened */
  becomeClean(changes: readonly TableChange[]): void {
    let at = 0
    for (const [key, { value }] of this.#dirty) {
      const change = changes[at]
      assert(change !== undefined, 'more dirty rows than were committed')
      if (typeof value === 'string') this.#known.forget(this.#arc, key)
      else {
        const chars = change.value?.length ?? 0
        this.#known.correct(this.#arc, key, { known: value ?? ABSENT, chars })
      }
      at += 1
    }
    this.#cutMarks()
    this.#dirty.clear()
    this.#live.clear()
    this.#committed = this.#applied
    this.#noteDirty()
  }

  /**
   * Whether the table may hold the row, so that its deletion must be kept. A row that was put since
   * the last commit is often new: one look into the table is cheaper than a needless deletion in it,
   * and than a deleted row that every scan must pass. Any other row exists, or nobody would delete it.
   */
  #mayHide(key: string, dirty: DirtyRow | undefined): boolean {
    if (dirty === undefined) return this.#known.get(this.#arc, key) !== ABSENT
    return dirty.maybeInTable && this.#fromTable(key) !== undefined
  }

  #noteDirty(): void {
    const count = this.#dirty.size + (this.#applied === this.#committed ? 0 : 1)
    if (count === this.#told) return
    this.#options.onDirty(count - this.#told)
    this.#told = count
  }

  #fromTable(key: string): object | undefined {
    const known = this.#known.get(this.#arc, key)
    if (known !== undefined) return known === ABSENT ? undefined : known
    const text = this.#table.get(this.#prefix + key)
    const value = text === undefined ? undefined : this.#parse(text)
    this.#known.set(this.#arc, key, { known: value ?? ABSENT, chars: text?.length ?? 0 })
    return value
  }

  #parse(text: string): object {
    const value = JSON.parse(text) as object
    if (this.#options.freeze) freezeRow(value)
    return value
  }

  #scan(from: string, to: string, limit: number): RowEntry<object>[] {
    const live = this.#live.range(from, to, limit)
    // Table rows beyond the last of `limit` live ones cannot be among the first `limit` of both.
    const tableTo = live.length < limit ? to : (live.at(-1) ?? to)
    const stored = this.#head(from, to, tableTo, limit)
    return this.#merge(live, stored, limit, (a, b) => a < b)
  }

  /** The first visible rows of the table in a range; not needed are those at `neededTo` and behind. */
  #head(from: string, to: string, neededTo: string, limit: number): readonly TableRow[] {
    const mark = this.#headMarks.get(from)
    if (mark !== undefined && mark.to >= neededTo) return NO_ROWS
    // Without a mark it reads on: a queue whose rows come and go between commits is then known to
    // have none in the table.
    const range = mark === undefined ? { from, to } : { from: mark.to, to: neededTo }
    const stored = this.#headOf(mark, limit) ?? this.#storedIn(range, limit)
    this.#markHead(from, stored[0], range.to)
    return stored
  }

  #scanReverse(from: string, to: string, limit: number): RowEntry<object>[] {
    const live = this.#live.rangeReverse(from, to, limit)
    const tableFrom = live.length < limit ? from : (live.at(-1) ?? from)
    const range = { from: tableFrom, to, limit, reverse: true }
    const stored = readVisible(this.#table, this.#prefix, this.#dirty, range)
    return this.#merge(live, stored, limit, (a, b) => a > b)
  }

  #headOf(mark: HeadMark | undefined, limit: number): TableRow[] | undefined {
    if (limit !== 1 || mark?.row === undefined || this.#dirty.has(mark.to)) return undefined
    return [mark.row]
  }

  #storedIn(range: { readonly from: string; readonly to: string }, limit: number): TableRow[] {
    const options = { ...range, limit, reverse: false }
    return readVisible(this.#table, this.#prefix, this.#dirty, options)
  }

  #markHead(from: string, first: TableRow | undefined, end: string): void {
    const { headMarksMax, headCharsMax } = this.#options.limits
    if (this.#headMarks.size >= headMarksMax) this.#headMarks.clear()
    if (first === undefined) return void this.#headMarks.set(from, { to: end })
    const to = first.key.slice(this.#prefix.length)
    const isShort = first.value.length <= headCharsMax
    this.#headMarks.set(from, isShort ? { to, row: first } : { to })
  }

  /** To be called while `#dirty` and `#live` still say what was committed. */
  #cutMarks(): void {
    for (const [from, { to }] of this.#headMarks) {
      const first = this.#live.first(from, to)
      if (first !== undefined) this.#headMarks.set(from, { to: first })
      else if (this.#dirty.has(to)) this.#headMarks.set(from, { to })
    }
  }

  #merge(
    live: readonly string[],
    stored: readonly TableRow[],
    limit: number,
    before: (a: string, b: string) => boolean,
  ): RowEntry<object>[] {
    const found: RowEntry<object>[] = []
    let nextLive = 0
    let nextStored = 0
    while (found.length < limit) {
      const liveKey = live[nextLive]
      const row = stored[nextStored]
      if (liveKey === undefined && row === undefined) break
      const storedKey = row?.key.slice(this.#prefix.length)
      if (liveKey !== undefined && (storedKey === undefined || before(liveKey, storedKey))) {
        found.push({ key: liveKey, value: this.#liveValue(liveKey) })
        nextLive += 1
      } else if (row !== undefined && storedKey !== undefined) {
        found.push({ key: storedKey, value: this.#storedValue(storedKey, row.value) })
        nextStored += 1
      }
    }
    return found
  }

  #liveValue(key: string): object {
    const dirty = this.#dirty.get(key)
    const value = dirty && this.#valueOf(dirty)
    return value ?? broken(`A2: live key without a value: ${key}`)
  }

  #valueOf({ value }: DirtyRow): object | undefined {
    return typeof value === 'string' ? this.#parse(value) : value
  }

  #storedValue(key: string, text: string): object {
    const known = this.#known.get(this.#arc, key)
    if (known === undefined) return this.#parse(text)
    if (known === ABSENT) broken(`the table holds a row known to be absent: ${this.#prefix}${key}`)
    return known
  }
}

const NO_ROWS: readonly TableRow[] = []
