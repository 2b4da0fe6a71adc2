import type { VirtualTime } from './virtual-time.js'

/** How a process life ended. */
export type ProcessEnd =
  /** kill -9: what was written to the operating system survives. */
  | { readonly kind: 'killed' }
  /** The machine lost power: what was not synced is gone or torn. */
  | { readonly kind: 'power-cut' }
  /** The node ended itself because the world failed it (a failing disk, damaged state). */
  | { readonly kind: 'gave-up'; readonly code: string; readonly message: string }
  /** It stopped when asked to. */
  | { readonly kind: 'stopped' }
  /** A bug: an assertion or an exception that nobody expected. */
  | { readonly kind: 'crashed'; readonly error: unknown }

/** Thrown through whatever runs when its process ends in the middle of a step. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded'
}

/**
 * One life of a simulated process: its threads share its fate. Every visible act of its threads (a
 * message to another thread, a write, a sync, a commit) is an *effect*; the process can be made to
 * end before any effect, also between two effects of one step.
 */
export class SimProcess {
  readonly time: VirtualTime
  readonly #onEnd: (end: ProcessEnd) => void
  #end: ProcessEnd | null = null
  #effectsLeft = Number.POSITIVE_INFINITY
  #endAtEffect: ProcessEnd = { kind: 'killed' }
  #effectCount = 0

  constructor(time: VirtualTime, onEnd: (end: ProcessEnd) => void) {
    this.time = time
    this.#onEnd = onEnd
  }

  get isAlive(): boolean {
    return this.#end === null
  }

  get effectCount(): number {
    return this.#effectCount
  }

  /** Ends the process just before its `count`-th effect from now (1: the very next). */
  endAtEffect(count: number, end: ProcessEnd): void {
    this.#effectsLeft = count
    this.#endAtEffect = end
  }

  /**
   * Called by every port before it acts.
   * @throws ProcessEnded when the process is over, so that no code of it acts any more
   */
  effect(): void {
    if (this.#end !== null) throw new ProcessEnded()
    this.#effectCount += 1
    this.#effectsLeft -= 1
    if (this.#effectsLeft > 0) return
    this.end(this.#endAtEffect)
    throw new ProcessEnded()
  }

  /** Ends the life; only the first end counts. */
  end(end: ProcessEnd): void {
    if (this.#end !== null) return
    this.#end = end
    this.#onEnd(end)
  }
}
