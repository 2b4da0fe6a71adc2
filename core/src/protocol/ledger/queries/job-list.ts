import type { RowEntry, Rows } from '../../state/rows.js'

/**
 * Sorted lists of jobs in one arc, read lazily from index rows, newest first. A job's place in any of
 * them is the text of `placeOf`, so places compare as text, and lists can be merged and intersected.
 *
 * What is read is counted, so that a query that matches little does bounded work and says where it
 * stopped.
 */
export interface PlaceList {
  /** The newest place not passed yet; null: there is none. */
  readonly head: string | null
  /** Passes every place that is newer than this one. */
  seek(place: string): void
  /** Passes the head. */
  pass(): void
}

/** Places from ≤ place < to. */
export interface PlaceRange {
  readonly from: string
  readonly to: string
}

/** Index rows that one query has read. */
export class ReadBudget {
  #read = 0
  #max = Number.MAX_SAFE_INTEGER

  get isSpent(): boolean {
    return this.#read >= this.#max
  }

  /** From now on so many more. What was read to open the lists does not count: each step gets on. */
  allow(rows: number): void {
    this.#max = this.#read + rows
  }

  /** A look that finds nothing costs as much as one that finds a row. */
  note(rows: number): void {
    this.#read += Math.max(rows, 1)
  }
}

const FIRST_PAGE_ROWS = 2
const PAGE_ROWS_MAX = 64

/** The index rows under one prefix. Reads in pages, longer ones while they are used up in order. */
export class IndexList implements PlaceList {
  readonly #rows: Rows
  readonly #prefix: string
  readonly #range: PlaceRange
  readonly #budget: ReadBudget
  #page: readonly RowEntry<object>[] = []
  #at = 0
  #pageRows = FIRST_PAGE_ROWS
  #hasMore = true

  constructor(rows: Rows, prefix: string, range: PlaceRange, budget: ReadBudget) {
    this.#rows = rows
    this.#prefix = prefix
    this.#range = range
    this.#budget = budget
    this.#read(range.to)
  }

  get head(): string | null {
    return this.#page[this.#at]?.key.slice(this.#prefix.length) ?? null
  }

  pass(): void {
    this.#at += 1
    if (this.#at < this.#page.length || !this.#hasMore) return
    const last = this.#page.at(-1)
    this.#pageRows = Math.min(this.#pageRows * 2, PAGE_ROWS_MAX)
    this.#read(last === undefined ? this.#range.from : last.key.slice(this.#prefix.length))
  }

  seek(place: string): void {
    const key = this.#prefix + place
    while (this.#at < this.#page.length && (this.#page[this.#at]?.key ?? '') > key) this.#at += 1
    if (this.#at < this.#page.length || !this.#hasMore) return
    // It jumped behind the page: what comes next is probably not used up in order.
    this.#pageRows = FIRST_PAGE_ROWS
    this.#read(upTo(place))
  }

  #read(to: string): void {
    const { from } = this.#range
    const page = this.#rows.scan(this.#prefix + from, this.#prefix + to, this.#pageRows, true)
    this.#budget.note(page.length)
    this.#page = page
    this.#at = 0
    this.#hasMore = page.length === this.#pageRows
  }
}

/** All places of several lists that have none in common. */
export class UnionList implements PlaceList {
  readonly #lists: readonly PlaceList[]

  constructor(lists: readonly PlaceList[]) {
    this.#lists = lists
  }

  get head(): string | null {
    return this.#first?.head ?? null
  }

  pass(): void {
    this.#first?.pass()
  }

  seek(place: string): void {
    for (const list of this.#lists) list.seek(place)
  }

  get #first(): PlaceList | undefined {
    let first: PlaceList | undefined
    for (const list of this.#lists) {
      if (list.head !== null && list.head > (first?.head ?? '')) first = list
    }
    return first
  }
}

/**
 * Looks for the places that all lists have, by jumping: each list skips to where the others are, so
 * that the work is that of the shortest list, whichever that is.
 */
export class Intersection {
  readonly #lists: readonly PlaceList[]
  #frontier: string | null = null
  #isMatch = false

  constructor(lists: readonly PlaceList[]) {
    this.#lists = lists
    this.#look()
  }

  /** No place newer than this one is left; null: none at all is. */
  get frontier(): string | null {
    return this.#frontier
  }

  /** True: every list has the frontier. */
  get isMatch(): boolean {
    return this.#isMatch
  }

  /** One step; the frontier becomes older, or turns out to be a match. */
  step(): void {
    if (this.#isMatch) for (const list of this.#lists) list.pass()
    else for (const list of this.#lists) list.seek(this.#frontier ?? '')
    this.#look()
  }

  #look(): void {
    const heads = this.#lists.map((list) => list.head)
    let oldest = heads[0] ?? null
    for (const head of heads) {
      if (head === null || oldest === null) oldest = null
      else if (head < oldest) oldest = head
    }
    this.#frontier = oldest
    this.#isMatch = oldest !== null && heads.every((head) => head === oldest)
  }
}

/** Upper end of a range that includes this place. */
export function upTo(place: string): string {
  return `${place}\u0000`
}
