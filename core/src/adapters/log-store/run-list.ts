import { assert } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'
import type { BodyPlace } from './format.js'

/** Consecutive entries of one arc that stand in one row's body. */
export interface Run {
  readonly first: LogIndex
  /** Smaller than what the body holds when a later append replaced its end. */
  readonly last: LogIndex
  readonly body: BodyPlace
}

const FIELDS = 6
const INITIAL_RUNS = 4

/**
 * The runs of one arc, sorted and without overlap, packed in one array of numbers: a long log has
 * hundreds of thousands of them, which as objects would cost the collector more than the log costs.
 */
export class RunList {
  /** first, last, segment, position, bytes, crc, … */
  #fields = new Float64Array(INITIAL_RUNS * FIELDS)
  /** Runs dropped at the front and not yet given back. */
  #offset = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  at(index: number): Run {
    assert(index >= 0 && index < this.#count, `run ${index} of ${this.#count}`)
    const base = (this.#offset + index) * FIELDS
    const field = (offset: number): number => this.#fields[base + offset] ?? 0
    const body = { segment: field(2), position: field(3), bytes: field(4), crc: field(5) }
    return { first: field(0), last: field(1), body }
  }

  segmentAt(index: number): number {
    return this.#fields[(this.#offset + index) * FIELDS + 2] ?? 0
  }

  /** Index of the first run that ends at or after an entry; `count` when there is none. */
  find(entry: LogIndex): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#fields[(this.#offset + middle) * FIELDS + 1] ?? 0) < entry) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Forgets all entries from `first` on. */
  truncateFrom(first: LogIndex): void {
    const index = this.find(first)
    if (index === this.#count) return
    const run = this.at(index)
    this.#count = index
    if (run.first < first) this.#set(this.#count++, { ...run, last: first - 1 })
  }

  /** Forgets all runs that end before `first`. */
  dropBefore(first: LogIndex): void {
    const dropped = this.find(first)
    this.#offset += dropped
    this.#count -= dropped
    if (this.#offset < INITIAL_RUNS || this.#offset < this.#count) return
    this.#fields = this.#fields.slice(
      this.#offset * FIELDS,
      (this.#offset + Math.max(this.#count, INITIAL_RUNS)) * FIELDS,
    )
    this.#offset = 0
  }

  /** Adds behind all others. */
  push(run: Run): void {
    assert(this.#count === 0 || this.at(this.#count - 1).last < run.first, 'runs do not overlap')
    this.#makeRoom()
    this.#set(this.#count++, run)
  }

  /**
   * Takes a run whose entries were copied elsewhere: it replaces its older copy, or fills the gap
   * where that copy's segment is gone already. A copy that fits neither (only a damaged log has
   * one) changes nothing.
   */
  place(run: Run): void {
    const index = this.find(run.first)
    const found = index < this.#count ? this.at(index) : null
    if (found !== null && found.first <= run.last) {
      if (found.last === run.last) this.#set(index, run)
      return
    }
    this.#makeRoom()
    const base = (this.#offset + index) * FIELDS
    const end = (this.#offset + this.#count) * FIELDS
    this.#fields.copyWithin(base + FIELDS, base, end)
    this.#count += 1
    this.#set(index, run)
  }

  #makeRoom(): void {
    const needed = (this.#offset + this.#count + 1) * FIELDS
    if (needed <= this.#fields.length) return
    const grown = new Float64Array(Math.max(needed, this.#fields.length * 2))
    grown.set(this.#fields)
    this.#fields = grown
  }

  #set(index: number, run: Run): void {
    const { segment, position, bytes, crc } = run.body
    this.#fields.set(
      [run.first, run.last, segment, position, bytes, crc],
      (this.#offset + index) * FIELDS,
    )
  }
}
