/** How slowly something is scrubbed, so that nobody notices it. */
export interface ScrubPauses {
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

/** Counts the thread's time that a pass takes, and says how long to rest. */
export class ScrubPace {
  readonly #pauses: ScrubPauses
  /** Thread's time that this pass has taken, ms. */
  #passMs = 0

  constructor(pauses: ScrubPauses) {
    this.#pauses = pauses
  }

  /** @returns the pause before the next slice, ms */
  restAfter(tookMs: number, isPassOver: boolean): number {
    this.#passMs += tookMs
    return isPassOver ? this.#restAfterPass() : this.#restAfterSlice(tookMs)
  }

  #restAfterSlice(tookMs: number): number {
    return Math.max(tookMs * this.#pauses.restTimes, this.#pauses.restMsMin)
  }

  #restAfterPass(): number {
    const { passRestTimes, passRestMsMin, passRestMsMax } = this.#pauses
    const restMs = Math.min(Math.max(this.#passMs * passRestTimes, passRestMsMin), passRestMsMax)
    this.#passMs = 0
    return restMs
  }
}
