import type { ArcId, Instant } from '../../base/ids.js'
import { TIMERS_LOOK_MS } from './limits.js'

/**
 * Which arc's next timer row is due when, in arc time. The rows themselves are in the ledger; this
 * is only the engine's note of each arc's earliest one, so that an idle node can sleep.
 *
 * A busy node asks for the earliest of all at every turn, and each attempt moves its arc's. So it is
 * remembered, and may be too early when its arc's has moved away since; then nothing is due, and the
 * next look finds the right one. It is never later than TIMERS_LOOK_MS ago's look had it.
 */
export class Timers {
  readonly #nextOf = new Map<ArcId, Instant>()
  readonly #monoOf: (arc: ArcId, at: Instant) => Instant
  /** Monotonic; null: there is none. */
  #earliest: Instant | null = null
  /** When all arcs were looked at, monotonic. */
  #lookedAt = Number.NEGATIVE_INFINITY

  /** @param monoOf  when an arc's clock will have come to an instant, as it runs now: monotonic */
  constructor(monoOf: (arc: ArcId, at: Instant) => Instant) {
    this.#monoOf = monoOf
  }

  set(arc: ArcId, at: Instant | null): void {
    if (at === null) {
      this.#nextOf.delete(arc)
      return
    }
    this.#nextOf.set(arc, at)
    this.#note(this.#monoOf(arc, at))
  }

  /** @returns no later than the first timer that is due, monotonic; null: there is none */
  earliest(mono: Instant): Instant | null {
    if (mono - this.#lookedAt < TIMERS_LOOK_MS) return this.#earliest
    this.#lookedAt = mono
    this.#earliest = null
    for (const [arc, at] of this.#nextOf) this.#note(this.#monoOf(arc, at))
    return this.#earliest
  }

  /**
   * Arcs whose timer is due, each once: a `fire` command is on its way then, and the arc reports its
   * next timer after that was applied.
   */
  takeDue(mono: Instant): ArcId[] {
    const due = [...this.#nextOf].filter(([arc, at]) => this.#monoOf(arc, at) <= mono)
    for (const [arc] of due) this.#nextOf.delete(arc)
    this.#lookedAt = Number.NEGATIVE_INFINITY
    return due.map(([arc]) => arc)
  }

  #note(at: Instant): void {
    this.#earliest = Math.min(at, this.#earliest ?? at)
  }
}
