import type { ArcId, Instant } from '../../base/ids.js'

/**
 * Which arc's next timer row is due when, in arc time. The rows themselves are in the ledger; this
 * is only the engine's note of each arc's earliest one, so that an idle node can sleep.
 */
export class Timers {
  readonly #nextOf = new Map<ArcId, Instant>()

  set(arc: ArcId, at: Instant | null): void {
    if (at === null) this.#nextOf.delete(arc)
    else this.#nextOf.set(arc, at)
  }

  /** Arcs with their earliest timer, in no particular order. */
  entries(): IterableIterator<[ArcId, Instant]> {
    return this.#nextOf.entries()
  }

  /** A `fire` command is on its way: the arc reports its next timer after it was applied. */
  fired(arc: ArcId): void {
    this.#nextOf.delete(arc)
  }
}
