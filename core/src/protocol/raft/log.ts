import { assert } from '../../base/assert.js'
import type { LogIndex, Term } from '../../base/ids.js'
import { APPEND_STORED_ENTRIES_MAX } from './limits.js'
import type { LogEntry } from './log-record.js'
import { type TermRun, TermRuns } from './term-runs.js'

/** Entries that are durable and have left memory; read when a peer is behind. */
export interface StoredEntries {
  /** Entries `from … to`, both included and both held. */
  read(from: LogIndex, to: LogIndex): readonly LogEntry[]
}

export interface LogStart {
  /** What lies just before the oldest entry that is held. Term 0 with an index above 0: not known. */
  readonly base: { readonly index: LogIndex; readonly term: Term }
  readonly lastIndex: LogIndex
  /** Terms of the entries after `base`, at least of the last one. */
  readonly termRuns: readonly TermRun[]
}

/**
 * One replica's log: the tail in memory, terms of everything held, what is durable. Not its job: what
 * is committed (replica-state.ts), and where entries go (the host).
 *
 * L1  base ≤ durable ≤ last; entries after `durable` are in memory
 * L2  entry n has index n; terms never fall (§5.3, Log Matching)
 */
export class RaftLog {
  readonly #stored: StoredEntries
  readonly #terms: TermRuns
  #base: LogIndex
  #baseTerm: Term
  #lastIndex: LogIndex
  #durable: LogIndex
  /** Entries appended and not yet taken for the host's log. */
  #unstable: LogEntry[] = []
  /** Entries in memory: `#tail[i]` has index `#tailStart + i`. */
  #tail: LogEntry[] = []
  #tailStart: LogIndex

  constructor(start: LogStart, stored: StoredEntries) {
    this.#stored = stored
    this.#terms = new TermRuns(start.termRuns)
    this.#base = start.base.index
    this.#baseTerm = start.base.term
    this.#lastIndex = start.lastIndex
    this.#durable = start.lastIndex
    this.#tailStart = start.lastIndex + 1
    assert(this.#base <= this.#lastIndex, 'L1: the log ends before it begins')
    const isKnown = this.#base === this.#lastIndex || this.termAt(this.#lastIndex) !== undefined
    assert(isKnown, 'the term of the last entry is known')
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  /** 0 when nothing is known of any entry. */
  get lastTerm(): Term {
    return this.termAt(this.#lastIndex) ?? 0
  }

  /** Index just before the oldest entry that is held. */
  get base(): LogIndex {
    return this.#base
  }

  /** Everything up to here survives a crash. */
  get durable(): LogIndex {
    return this.#durable
  }

  get tailStart(): LogIndex {
    return this.#tailStart
  }

  get hasUnstable(): boolean {
    return this.#unstable.length > 0
  }

  /** @returns undefined outside of `base … lastIndex`, and where it was never told */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.#base || index > this.#lastIndex) return undefined
    if (index > this.#base) return this.#terms.at(index)
    return this.#base === 0 || this.#baseTerm > 0 ? this.#baseTerm : undefined
  }

  /** An entry from memory; undefined when only the host's log still has it. */
  entry(index: LogIndex): LogEntry | undefined {
    return index < this.#tailStart ? undefined : this.#tail[index - this.#tailStart]
  }

  push(entry: LogEntry): void {
    assert(entry.index === this.#lastIndex + 1, 'L2: an entry leaves a gap')
    this.#terms.note(entry.index, entry.term)
    this.#lastIndex = entry.index
    this.#unstable.push(entry)
    this.#tail.push(entry)
  }

  /** Cuts off `index` and all after it; the append that must follow tells the host's log. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#base && index <= this.#lastIndex, 'L1: truncation outside of the log')
    this.#terms.truncateFrom(index)
    this.#lastIndex = index - 1
    this.#durable = Math.min(this.#durable, this.#lastIndex)
    this.#unstable = this.#unstable.filter((entry) => entry.index < index)
    this.#tailStart = Math.min(this.#tailStart, index)
    this.#tail.length = index - this.#tailStart
  }

  /** What the host is to make durable. */
  takeUnstable(): readonly LogEntry[] {
    const taken = this.#unstable
    this.#unstable = []
    return taken
  }

  /**
   * A write that ended with this entry is durable. If the entry has been replaced since, it attests
   * nothing of what stands there now; the write that replaced it will. That it has not come back meanwhile
   * (the ABA story in etcd's rawnode.go) is for the caller to know: in one term a replica follows one leader,
   * whose log has one entry at each place, so there only writes of the term that still runs are told here.
   */
  noteDurable(index: LogIndex, term: Term): void {
    if ((this.termAt(index) ?? 0) === term && index > this.#durable) this.#durable = index
  }

  /** Entries up to `index` may leave memory. */
  release(index: LogIndex): void {
    const count = Math.min(index, this.#durable) - this.#tailStart + 1
    if (count <= 0) return
    this.#tail = this.#tail.slice(count)
    this.#tailStart += count
  }

  /** The host's log has given up entries up to `index`. */
  compact(index: LogIndex): void {
    if (index <= this.#base) return
    assert(index <= this.#durable, 'L1: the log is cut above what is durable')
    this.#baseTerm = this.termAt(index) ?? 0
    this.#base = index
    this.release(index)
    this.#terms.forgetBefore(index + 1)
  }

  /** A snapshot has taken the place of all entries. */
  reset(index: LogIndex, term: Term): void {
    this.#terms.truncateFrom(0)
    this.#terms.forgetBefore(index)
    this.#base = index
    this.#baseTerm = term
    this.#lastIndex = index
    this.#durable = index
    this.#unstable = []
    this.#tail = []
    this.#tailStart = index + 1
  }

  /**
   * Entries from `from` on, at least one if there is one, else as many as `charsMax` allows.
   *
   * @returns undefined when the log no longer reaches back to `from`
   */
  slice(from: LogIndex, charsMax: number): readonly LogEntry[] | undefined {
    if (from <= this.#base) return undefined
    if (from >= this.#tailStart) return upTo(charsMax, this.#tail, from - this.#tailStart)
    const to = Math.min(this.#tailStart - 1, from + APPEND_STORED_ENTRIES_MAX - 1)
    return upTo(charsMax, this.#stored.read(from, to), 0)
  }

  /**
   * The newest place at or before `index` whose term is not above `term`: everything after it is
   * known to differ from a log that has `term` there. Skips a term at a step (§5.3, end).
   *
   * @returns the base where terms are not known: that is committed, so it cannot differ; `index` itself
   * below the base: nothing is known there
   */
  lastNotAbove(index: LogIndex, term: Term): LogIndex {
    let at = Math.min(index, this.#lastIndex)
    if (at < this.#base) return at
    while (at > this.#base) {
      const found = this.termAt(at)
      if (found === undefined) return this.#base
      if (found <= term) return at
      at = (this.#terms.startOf(at) ?? 0) - 1
    }
    return this.#base
  }
}

function upTo(charsMax: number, entries: readonly LogEntry[], from: number): LogEntry[] {
  const taken: LogEntry[] = []
  let chars = 0
  for (let at = from; at < entries.length; at += 1) {
    const entry = entries[at]
    if (entry === undefined) break
    chars += entry.payload.length
    if (taken.length > 0 && chars > charsMax) break
    taken.push(entry)
  }
  return taken
}
