import type { Clock } from '../ports/clock.js'
import type { ScrubBounds, Scrubbable, ScrubSlice } from '../ports/scrub.js'
import { type ArcDamage, damageOf } from '../protocol/state/damage.js'
import { ScrubPace, type ScrubPauses } from './scrub-pace.js'

export interface ScrubPolicy extends ScrubBounds, ScrubPauses {}

/**
 * A slice takes some 2 ms, a pass over 1,000,000 jobs half a minute of the thread, spread over half an
 * hour, and the next one begins four hours later. A small state is looked at every minute.
 */
export const SCRUB_POLICY: ScrubPolicy = {
  rowsMax: 500,
  charsMax: 1024 * 1024,
  firstAfterMs: 5000,
  restTimes: 50,
  restMsMin: 100,
  passRestTimes: 500,
  passRestMsMin: 60_000,
  passRestMsMax: 24 * 3_600_000,
}

/** What the scrub has done in this life of the node. */
export interface ScrubProgress {
  readonly rows: number
  readonly passes: number
}

export interface StateScrubOptions {
  readonly store: Scrubbable
  readonly clock: Clock
  /** Told after each slice. */
  readonly tell: (progress: ScrubProgress) => void
  /** A row of one arc has rotted; all other rows are looked at all the same. */
  readonly damaged: (damage: ArcDamage) => void
  readonly policy?: ScrubPolicy
}

/**
 * Reads the whole state store in the background, slowly, so that a row that rotted is found while the
 * log can still replace it, and not years later by the one who asks for it. What cannot be of one arc
 * alone ends the node as a read would: `state_damaged` leaves this thread uncaught.
 */
export class StateScrub {
  readonly #options: StateScrubOptions
  readonly #policy: ScrubPolicy
  readonly #pace: ScrubPace
  #from = ''
  #rows = 0
  #passes = 0

  constructor(options: StateScrubOptions) {
    this.#options = options
    this.#policy = options.policy ?? SCRUB_POLICY
    this.#pace = new ScrubPace(this.#policy)
  }

  start(): void {
    this.#after(this.#policy.firstAfterMs)
  }

  #after(delayMs: number): void {
    this.#options.clock.alarm(delayMs, () => this.#slice())
  }

  #slice(): void {
    const { clock, tell } = this.#options
    const began = clock.now().mono
    const { next, rows } = this.#verify()
    const tookMs = clock.now().mono - began
    this.#rows += rows
    this.#from = next ?? ''
    if (next === null) this.#passes += 1
    tell({ rows: this.#rows, passes: this.#passes })
    this.#after(this.#pace.restAfter(tookMs, next === null))
  }

  #verify(): ScrubSlice {
    const { store, damaged } = this.#options
    try {
      return store.scrub(this.#from, this.#policy)
    } catch (error) {
      const damage = damageOf(error)
      if (damage === null) throw error
      damaged(damage)
      return { next: damage.key, rows: 1 }
    }
  }
}
