import type { Instant } from '../../base/ids.js'
import { STOP_ABORT_MS, STOP_PATIENCE_MS } from './limits.js'

/**
 * The graceful end of a node's life: nothing new starts; running attempts may finish for a while,
 * then they are aborted and handed back without charge; then the node says that it has stopped.
 */
export class Stopping {
  #beganAt: Instant | null = null
  #aborted = false
  #over = false

  get began(): boolean {
    return this.#beganAt !== null
  }

  /** Running attempts were told to stop; whatever starts late is told so too. */
  get hasAborted(): boolean {
    return this.#aborted
  }

  /** Idempotent. */
  begin(mono: Instant): void {
    this.#beganAt ??= mono
  }

  /** When the next step is due; null while none is. */
  get nextAt(): Instant | null {
    if (this.#beganAt === null || this.#over) return null
    return this.#beganAt + STOP_PATIENCE_MS + (this.#aborted ? STOP_ABORT_MS : 0)
  }

  /** True once, when patience has run out. */
  shouldAbort(mono: Instant): boolean {
    if (this.#aborted || this.#beganAt === null) return false
    if (mono < this.#beganAt + STOP_PATIENCE_MS) return false
    this.#aborted = true
    return true
  }

  /** True once: everything has ended, or waiting longer would help nobody. */
  isOver(mono: Instant, idle: boolean): boolean {
    if (this.#over || this.#beganAt === null) return false
    const late = mono >= this.#beganAt + STOP_PATIENCE_MS + STOP_ABORT_MS
    this.#over = idle || late
    return this.#over
  }

  /**
   * The outcome to record for an attempt that ended with `body` (JSON of an AttemptOutcome). One that
   * gave up because this node aborted it is handed back: the next life runs it again, without charge.
   */
  outcomeOf(body: string): string {
    if (!this.#aborted) return body
    const { kind } = JSON.parse(body)
    return kind === 'succeeded' || kind === 'not_started' ? body : HANDED_BACK
  }
}

const HANDED_BACK = JSON.stringify({ kind: 'lost', charged: false })
