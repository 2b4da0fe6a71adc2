import { assert } from '../../base/assert.js'
import type { Instant, LogIndex } from '../../base/ids.js'
import { INFLIGHT_CHARS_MAX, INFLIGHT_MESSAGES_MAX } from './limits.js'
import type { Snapshot } from './messages.js'

/**
 * What a leader knows of one peer's log, and how it feeds it.
 *
 * - probe: where the two logs part is not known; one append at a time, the next after its answer or
 *   after a heartbeat's.
 * - replicate: entered by an accepted append; appends go out one behind the other, within bounds.
 * - snapshot: the entries that it needs are gone; nothing is appended until it is done or given up.
 *
 * P1  0 ≤ match < next
 * P2  in replicate, entries `match + 1 … next − 1` are on their way
 */
export class Progress {
  #state: 'probe' | 'replicate' | 'snapshot' = 'probe'
  #match: LogIndex = 0
  #next: LogIndex
  #isPaused = false
  #inflights: { readonly last: LogIndex; readonly chars: number }[] = []
  #inflightChars = 0
  #snapshot: Snapshot | null = null
  /** True: it needs a snapshot and the host was asked for one. */
  snapshotWanted = false
  /** When anything of this term was last heard from it. */
  heardAt: Instant
  /** When its snapshot's receiver last gave a sign. */
  snapshotHeardAt: Instant = 0
  #number = 0
  /** `#number` when `#match` last rose: later appends were sent to a log that reached up to `#match`. */
  #numberAtMatch = 0
  /** It rejected what it had accepted: it has lost entries (W4). */
  hasRegressed = false
  /** The host was told that its store is gone (W1). */
  isLossTold = false
  readonly #round = new CatchUpRound()

  constructor(next: LogIndex, now: Instant) {
    this.#next = next
    this.heardAt = now
  }

  get state(): 'probe' | 'replicate' | 'snapshot' {
    return this.#state
  }

  get match(): LogIndex {
    return this.#match
  }

  /** What counts for a majority: nothing, of a replica that has lost what it had. */
  get held(): LogIndex {
    return this.hasRegressed ? 0 : this.#match
  }

  get next(): LogIndex {
    return this.#next
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot
  }

  /** True while nothing may be appended. */
  get isPaused(): boolean {
    return this.#isPaused || this.#state === 'snapshot'
  }

  /** True when only an empty append may go. */
  get isFull(): boolean {
    const { length } = this.#inflights
    return length >= INFLIGHT_MESSAGES_MAX || this.#inflightChars >= INFLIGHT_CHARS_MAX
  }

  nextNumber(): number {
    this.#number += 1
    return this.#number
  }

  /** An append left with entries up to `last` (none: `next − 1`). */
  sent(last: LogIndex, chars: number): void {
    if (this.#state === 'probe') {
      this.#isPaused = true
      return
    }
    assert(this.#state === 'replicate', 'nothing is appended beside a snapshot')
    if (last >= this.#next) {
      this.#next = last + 1
      this.#inflights.push({ last, chars })
      this.#inflightChars += chars
    }
    this.#isPaused = this.isFull
  }

  /** A heartbeat was answered: what was lost meanwhile may be sent again. */
  resume(): void {
    this.#isPaused = false
  }

  /**
   * Everything up to `match` is durable there.
   *
   * @param base of the leader's log: from there on it can be continued by entries
   * @returns true when that is news
   */
  accepted(match: LogIndex, base: LogIndex): boolean {
    const rises = match > this.#match
    if (rises) {
      this.#match = match
      this.#numberAtMatch = this.#number
      this.#next = Math.max(this.#next, match + 1)
      this.#freeUpTo(match)
    }
    if (this.#state === 'probe' && match === this.#match) this.#becomeReplicate()
    else if (this.#state === 'snapshot' && this.#match >= base) this.#becomeReplicate()
    else if (this.#state === 'replicate' && !this.isFull) this.#isPaused = false
    return rises
  }

  /**
   * An append after `prevIndex` did not fit.
   *
   * @param hint the newest place where the two logs may agree
   * @returns `stale`: an answer to what was settled since; `regressed`: it has lost what it had
   */
  rejected(number: number, prevIndex: LogIndex, hint: LogIndex): 'probing' | 'stale' | 'regressed' {
    if (prevIndex <= this.#match) {
      if (number <= this.#numberAtMatch) return 'stale'
      this.hasRegressed = true
      return 'regressed'
    }
    if (this.#state === 'snapshot') return 'stale'
    if (this.#state === 'replicate') {
      this.#becomeProbe(this.#match + 1)
      return 'probing'
    }
    if (prevIndex !== this.#next - 1) return 'stale'
    this.#next = Math.max(Math.min(prevIndex, hint + 1), this.#match + 1)
    this.#isPaused = false
    return 'probing'
  }

  becomeSnapshot(snapshot: Snapshot, now: Instant): void {
    assert(this.#state !== 'snapshot', 'one snapshot at a time')
    this.#clear()
    this.#state = 'snapshot'
    this.#snapshot = snapshot
    this.snapshotWanted = false
    this.snapshotHeardAt = now
  }

  /** The snapshot was given up, or is done and what it has brought is asked for. */
  endSnapshot(): void {
    assert(this.#snapshot !== null, 'a snapshot was on its way')
    this.#becomeProbe(Math.max(this.#match, this.#snapshot.index) + 1)
  }

  /** @param commit of the leader: the goal of a learner's next round */
  noteRound(commit: LogIndex, now: Instant): void {
    this.#round.note(this.#match, commit, now)
  }

  /** Its last round was shorter than an election timeout (C5). */
  isCaughtUp(withinMs: number): boolean {
    return this.#round.lastMs < withinMs
  }

  #becomeReplicate(): void {
    this.#clear()
    this.#state = 'replicate'
    this.#next = this.#match + 1
  }

  #becomeProbe(next: LogIndex): void {
    this.#clear()
    this.#state = 'probe'
    this.#next = next
    assert(this.#match < this.#next, 'P1: 0 ≤ match < next')
  }

  #clear(): void {
    this.#isPaused = false
    this.#inflights = []
    this.#inflightChars = 0
    this.#snapshot = null
  }

  #freeUpTo(match: LogIndex): void {
    let count = 0
    for (const { last, chars } of this.#inflights) {
      if (last > match) break
      this.#inflightChars -= chars
      count += 1
    }
    if (count > 0) this.#inflights.splice(0, count)
  }
}

/**
 * How fast a learner catches up (dissertation §4.2.1): a round ends when it holds what was committed
 * at the round's start. Short rounds mean that as a voter it would hardly hold commits up.
 */
class CatchUpRound {
  #goal: LogIndex | null = null
  #beganAt: Instant = 0
  lastMs = Number.POSITIVE_INFINITY

  note(match: LogIndex, commit: LogIndex, now: Instant): void {
    if (this.#goal !== null && match < this.#goal) return
    if (this.#goal !== null) this.lastMs = now - this.#beganAt
    this.#goal = commit
    this.#beganAt = now
  }
}
