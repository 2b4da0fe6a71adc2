import { assert } from '../../base/assert.js'
import type { Instant } from '../../base/ids.js'

/** How far arc time may run faster or slower than real time while it is pulled towards the wall. */
const MAX_SLEW = 0.1

/**
 * The leader's clock of one arc: what it stamps on entries (design §6).
 *
 * It advances by the monotonic clock, slewed towards the wall clock by at most 10 %, so that a wall
 * clock that jumps an hour moves no deadline. It jumps forward only at the start of a term, to make up
 * for a downtime, and never goes back.
 *
 * A1  successive readings never fall
 * A2  while leading, |Δreading − Δmono| ≤ 10 % of Δmono
 */
export class ArcClock {
  /** Reading with its fraction of a millisecond, so that slow slewing is not lost to rounding. */
  #time: Instant
  #mono: Instant

  /**
   * @param last  arc time of the last entry known, 0 when there is none
   * @param mono  monotonic clock now
   * @param wall  wall clock now: the median of the voters' clocks; alone, its own
   */
  constructor(last: Instant, mono: Instant, wall: Instant) {
    this.#time = Math.max(last, wall)
    this.#mono = mono
  }

  /** @returns arc time in whole milliseconds */
  read(mono: Instant, wall: Instant): Instant {
    const elapsed = mono - this.#mono
    assert(elapsed >= 0, 'the monotonic clock went back')
    const target = this.#time + elapsed
    const bound = elapsed * MAX_SLEW
    this.#time = target + Math.max(-bound, Math.min(bound, wall - target))
    this.#mono = mono
    return Math.floor(this.#time)
  }
}
