import { broken } from '../../base/assert.js'
import type { ArcId, Duration, Instant, LogIndex } from '../../base/ids.js'
import type { Group } from '../raft/group.js'
import { ArcClock } from './arc-clock.js'
import type { EngineNow } from './engine-types.js'
import type { Reservation } from './grants.js'
import type { ArcStop, EngineStatus, RequestId } from './messages.js'

/** A command on its way into the log. */
export interface PendingProposal extends NewProposal {
  /** When the engine took it, monotonic milliseconds. */
  readonly takenAt: Instant
}

export interface NewProposal {
  readonly request: RequestId
  /** JSON text of a Command. */
  readonly body: string
  /** Services of tasks that it may make ready at once. */
  readonly needs: readonly string[]
  /** Slots taken for it beforehand (a `start` command), instead of by its needs. */
  readonly reservation?: Reservation
  /** It tells what has happened outside: to be in the log also while its arc applies nothing. */
  readonly isReport?: true
}

/**
 * What the engine keeps of one arc beside its group.
 *
 * 0 ≤ applied ≤ delivered ≤ commitIndex
 */
export class ArcState {
  readonly arc: ArcId
  readonly group: Group
  /** Arc time of the last entry before this life, 0 when there is none. */
  readonly #lastTime: Instant
  #clock: ArcClock | null = null
  /** Completions, clean-up and timers: they always pass before new work. */
  readonly urgent: PendingProposal[] = []
  readonly normal: PendingProposal[] = []
  /** Requests of proposed entries that are not applied yet: index → request. */
  readonly requests = new Map<LogIndex, RequestId>()
  /** Characters of this life's entries that are not applied yet, by index from term start on. */
  #chars: number[] = []
  delivered: LogIndex
  #applied: LogIndex
  /** Why the ledger applies nothing of this arc any more; null: it does. */
  stopped: ArcStop | null = null
  /** Index of this life's term-start entry; the arc serves once it is applied. 0: not proposed yet. */
  termStartIndex: LogIndex = 0

  constructor(arc: ArcId, group: Group, applied: LogIndex, lastTime: Instant) {
    this.arc = arc
    this.group = group
    this.#applied = applied
    this.delivered = applied
    this.#lastTime = lastTime
  }

  get serving(): boolean {
    return this.termStartIndex > 0 && this.applied >= this.termStartIndex
  }

  get applied(): LogIndex {
    return this.#applied
  }

  get status(): EngineStatus['arcs'][number] {
    const { term, lastIndex, commitIndex } = this.group
    return [this.arc, term, lastIndex, commitIndex, this.#applied]
  }

  /** An entry of this life was appended. */
  noteProposed(chars: number): void {
    this.#chars.push(chars)
  }

  /** The ledger has applied everything up to `index`. @returns how much that takes off its desk */
  noteApplied(index: LogIndex): { entries: number; own: number; chars: number } {
    const entries = index - this.#applied
    const ownBefore = this.#applied + 1 - this.termStartIndex
    const own = this.termStartIndex === 0 ? 0 : Math.max(0, Math.min(entries, entries + ownBefore))
    let chars = 0
    for (const size of this.#chars.splice(0, own)) chars += size
    this.#applied = index
    return { entries, own, chars }
  }

  /** Everything on its way is given up, but for reports. @returns what that takes off the engine's desk */
  giveUp(): {
    readonly waiting: readonly PendingProposal[]
    /** Of commands that are in the log. */
    readonly logged: readonly RequestId[]
    readonly unapplied: number
    readonly open: number
    readonly chars: number
  } {
    const all = [...this.urgent.splice(0), ...this.normal.splice(0)]
    const waiting = all.filter(({ isReport }) => isReport !== true)
    this.urgent.push(...all.filter(({ isReport }) => isReport === true))
    const logged = [...this.requests.values()]
    this.requests.clear()
    const inLog = this.noteKept()
    let chars = inLog.chars
    for (const { body } of waiting) chars += body.length
    const unapplied = this.delivered - this.#applied
    return { waiting, logged, unapplied, open: waiting.length + inLog.own, chars }
  }

  /** What is in the log will not be applied in this life. @returns what that takes off the engine's desk */
  noteKept(): { own: number; chars: number } {
    const own = this.#chars.length
    let chars = 0
    for (const size of this.#chars) chars += size
    this.#chars = []
    return { own, chars }
  }

  get hasPending(): boolean {
    return this.urgent.length > 0 || this.normal.length > 0
  }

  /** Becoming leader: the one moment at which arc time may jump forward. */
  startClock(mono: Instant, wall: Instant): void {
    this.#clock = new ArcClock(this.#lastTime, mono, wall)
  }

  /** How long ago an instant of the arc's time was. */
  waitedMs(since: Instant, { mono, wall }: EngineNow): Duration {
    return Math.max(0, this.time(mono, wall) - since)
  }

  time(mono: Instant, wall: Instant): Instant {
    if (this.#clock === null) broken(`arc ${this.arc}: has no clock before it leads`)
    return this.#clock.read(mono, wall)
  }
}
