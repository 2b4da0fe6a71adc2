import type { ArcId, LogIndex, Term } from '../../base/ids.js'
import type { RecoveredArc } from '../../ports/log-store.js'
import type { BodyPlace, Row } from './format.js'
import { RunList } from './run-list.js'

/**
 * What the log holds of one arc, and where. It changes only by folding in the rows of durable batches,
 * in order, so that a running node and a recovery come to the same result by the same code.
 *
 * I1: `firstIndex ≤ lastIndex + 1`; with no entries held they are equal, and `lastIndex`, `lastTerm`
 *     still tell the newest entry that there was.
 * I2: without damage, the runs cover `firstIndex … lastIndex` without gap or overlap.
 */
export class ArcIndex {
  readonly arc: ArcId
  readonly runs = new RunList()
  #neededFrom: LogIndex = 1
  #term: Term = 0
  #vote: string | null = null
  #firstIndex: LogIndex = 1
  #lastIndex: LogIndex = 0
  #lastTerm: Term = 0

  constructor(arc: ArcId) {
    this.arc = arc
  }

  /** The owner needs entries from here on; those before may go when their segment goes. */
  get neededFrom(): LogIndex {
    return this.#neededFrom
  }

  get term(): Term {
    return this.#term
  }

  get vote(): string | null {
    return this.#vote
  }

  get firstIndex(): LogIndex {
    return this.#firstIndex
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  get lastTerm(): Term {
    return this.#lastTerm
  }

  needBehind(upTo: LogIndex): void {
    this.#neededFrom = Math.max(this.#neededFrom, Math.min(upTo, this.#lastIndex) + 1)
  }

  needAll(): void {
    this.#neededFrom = this.#firstIndex
  }

  fold(row: Row, body: BodyPlace): void {
    switch (row.kind) {
      case 'hard-state':
        this.#term = row.term
        this.#vote = row.vote
        return
      case 'append':
        this.#append(row, body)
        return
      case 'relocate':
        this.runs.place({ first: row.first, last: row.last, body })
        return
      case 'checkpoint':
        this.#adopt(row)
        return
      case 'first-index':
        this.#startAt(row.first)
        return
      case 'reset':
        this.#startAt(row.first)
        this.runs.truncateFrom(row.first)
        this.#lastIndex = row.last
        this.#lastTerm = row.lastTerm
    }
  }

  recovered(): RecoveredArc {
    return {
      term: this.#term,
      vote: this.#vote,
      firstIndex: this.#firstIndex,
      lastIndex: this.#lastIndex,
      lastTerm: this.#lastTerm,
    }
  }

  /** The first entry that should be held and is not; null when none is missing. */
  firstMissing(): LogIndex | null {
    let expected = this.#firstIndex
    for (let index = this.runs.find(expected); index < this.runs.count; index += 1) {
      const run = this.runs.at(index)
      if (run.first > expected) return expected
      expected = run.last + 1
    }
    return expected <= this.#lastIndex ? expected : null
  }

  /** The last entry that should be held and is not; null when none is missing. */
  lastMissing(): LogIndex | null {
    let expected = this.#lastIndex
    for (let index = this.runs.count - 1; index >= 0; index -= 1) {
      const run = this.runs.at(index)
      if (run.last < expected) break
      expected = Math.min(expected, run.first - 1)
    }
    return expected >= this.#firstIndex ? expected : null
  }

  #append(row: Row, body: BodyPlace): void {
    if (this.#lastIndex === 0 || row.first < this.#firstIndex) this.#firstIndex = row.first
    this.runs.truncateFrom(row.first)
    this.runs.push({ first: row.first, last: row.last, body })
    this.#lastIndex = row.last
    this.#lastTerm = row.lastTerm
  }

  /** A checkpoint repeats what is known, unless damage or a removed segment hid it. */
  #adopt(row: Row): void {
    this.#term = row.term
    this.#vote = row.vote
    this.#startAt(row.first)
    this.runs.truncateFrom(row.last + 1)
    this.#lastIndex = row.last
    this.#lastTerm = row.lastTerm
  }

  #startAt(first: LogIndex): void {
    this.#firstIndex = first
    this.runs.dropBefore(first)
  }
}
