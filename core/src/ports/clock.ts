import type { Instant } from '../base/ids.js'

/** Two clocks, since each lies in its own way: `mono` stops in suspend, `wall` jumps. */
export interface Now {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly mono: Instant
  /** Milliseconds since 1970. */
  readonly wall: Instant
}

export interface Clock {
  now(): Now
  /** Runs once, `delayMs` later, in a turn of its own. Returns its cancellation. */
  alarm(delayMs: number, ring: () => void): () => void
  /** Runs once at the end of the current turn of the loop, before any alarm. */
  soon(run: () => void): void
}
