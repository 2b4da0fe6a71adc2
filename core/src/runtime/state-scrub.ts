import type { Clock } from '../ports/clock.js'
import type { ScrubBounds, Scrubbable } from '../ports/scrub.js'

export interface ScrubPolicy extends ScrubBounds {
  /** Pause before the first pass of a life, ms: what clients wait for goes first. */
  readonly firstAfterMs: number
  /**
   * Pause after a slice, as a multiple of the time that it took. Less: requests meet it more often.
   * More: rot stays unnoticed for longer.
   */
  readonly restTimes: number
  /** Least pause after a slice, ms. */
  readonly restMsMin: number
  /** Pause after a pass, as a multiple of the thread's time that it took, and its bounds, ms. */
  readonly passRestTimes: number
  readonly passRestMsMin: number
  readonly passRestMsMax: number
}

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
  readonly policy?: ScrubPolicy
}

/**
 * Reads the whole state store in the background, slowly, so that a row that rotted is found while the
 * log can still replace it, and not years later by the one who asks for it. What it finds ends the
 * node as a read of that row would: `state_damaged` leaves this thread uncaught.
 */
export class StateScrub {
  readonly #options: StateScrubOptions
  readonly #policy: ScrubPolicy
  #from = ''
  #rows = 0
  #passes = 0
  /** Thread's time that this pass has taken, ms. */
  #passMs = 0

  constructor(options: StateScrubOptions) {
    this.#options = options
    this.#policy = options.policy ?? SCRUB_POLICY
  }

  start(): void {
    this.#after(this.#policy.firstAfterMs)
  }

  #after(delayMs: number): void {
    this.#options.clock.alarm(delayMs, () => this.#slice())
  }

  #slice(): void {
    const { store, clock, tell } = this.#options
    const began = clock.now().mono
    const { next, rows } = store.scrub(this.#from, this.#policy)
    const tookMs = clock.now().mono - began
    this.#rows += rows
    this.#passMs += tookMs
    this.#from = next ?? ''
    if (next === null) this.#passes += 1
    tell({ rows: this.#rows, passes: this.#passes })
    this.#after(next === null ? this.#restAfterPass() : this.#restAfter(tookMs))
  }

  #restAfter(tookMs: number): number {
    return Math.max(tookMs * this.#policy.restTimes, this.#policy.restMsMin)
  }

  #restAfterPass(): number {
    const { passRestTimes, passRestMsMin, passRestMsMax } = this.#policy
    const restMs = Math.min(Math.max(this.#passMs * passRestTimes, passRestMsMin), passRestMsMax)
    this.#passMs = 0
    return restMs
  }
}
