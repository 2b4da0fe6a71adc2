import type { Clock } from '../ports/clock.js'
import type { LogScrubSlice, LogStore } from '../ports/log-store.js'
import type { LogScrubProgress } from '../protocol/node/engine-types.js'
import { ScrubPace, type ScrubPauses } from './scrub-pace.js'

/**
 * A slice takes a millisecond or two, a pass over 128 MiB of log a fifth of a second of the thread,
 * spread over some twenty. Each pass reads all of that from the disk, so the next one begins minutes
 * later: some 0.4 MiB a second in the mean. A small log is looked at every minute.
 */
export const LOG_SCRUB_PAUSES: ScrubPauses = {
  firstAfterMs: 5000,
  restTimes: 50,
  restMsMin: 100,
  passRestTimes: 2000,
  passRestMsMin: 60_000,
  passRestMsMax: 24 * 3_600_000,
}

export interface LogScrubOptions {
  readonly log: Pick<LogStore, 'scrubNext'>
  readonly clock: Clock
  /** Told after each slice. */
  readonly tell: (progress: LogScrubProgress) => void
  readonly pauses?: ScrubPauses
}

/**
 * Verifies the closed part of the log in the background, slowly, from the disk. Nobody else reads it
 * again before the next start, and that start would refuse a log that has rotted; now the state still
 * holds all that stood there.
 */
export class LogScrub {
  readonly #options: LogScrubOptions
  readonly #pauses: ScrubPauses
  readonly #pace: ScrubPace
  #progress: LogScrubProgress = { segments: 0, bytes: 0, passes: 0, lastPassAt: null }

  constructor(options: LogScrubOptions) {
    this.#options = options
    this.#pauses = options.pauses ?? LOG_SCRUB_PAUSES
    this.#pace = new ScrubPace(this.#pauses)
  }

  start(): void {
    this.#after(this.#pauses.firstAfterMs)
  }

  #after(delayMs: number): void {
    this.#options.clock.alarm(delayMs, () => {
      this.#options.log.scrubNext((verify) => this.#slice(verify))
    })
  }

  /** Only the thread's own time counts: the disk reads beside it. */
  #slice(verify: () => LogScrubSlice): void {
    const { clock, tell } = this.#options
    const began = clock.now().mono
    const slice = verify()
    const { mono, wall } = clock.now()
    const { segments, bytes, passes, lastPassAt } = this.#progress
    this.#progress = {
      segments: segments + slice.segments,
      bytes: bytes + slice.bytes,
      passes: passes + (slice.isPassOver ? 1 : 0),
      lastPassAt: slice.isPassOver ? wall : lastPassAt,
    }
    tell(this.#progress)
    this.#after(this.#pace.restAfter(mono - began, slice.isPassOver))
  }
}
