const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * One wish to stop can arrive twice: `timeout` signals its child and then the child's whole group,
 * and npm passes on a Ctrl-C that the terminal has sent to the group already. Milliseconds from the
 * first to what counts as a second wish. Lower: a busy machine takes an echo for impatience, and the
 * node is killed. Higher: whoever really is impatient presses once more.
 */
const ECHO_MS = 500

/** Listens for the signals that ask a process to stop, in place of their own way of ending it. */
export class StopSignals {
  /** The first signal: stop gracefully. */
  readonly first: Promise<string>
  /** The same signal once more, and no echo: do not wait for that. */
  readonly again: Promise<string>
  readonly #heardAt = new Map<string, number>()
  #resolveFirst: (signal: string) => void = () => {}
  #resolveAgain: (signal: string) => void = () => {}

  constructor() {
    this.first = new Promise((resolve) => {
      this.#resolveFirst = resolve
    })
    this.again = new Promise((resolve) => {
      this.#resolveAgain = resolve
    })
    for (const signal of SIGNALS) process.on(signal, () => this.#hear(signal))
  }

  #hear(signal: string): void {
    const now = performance.now()
    const before = this.#heardAt.get(signal)
    if (before === undefined) {
      this.#heardAt.set(signal, now)
      this.#resolveFirst(signal)
    } else if (now - before >= ECHO_MS) {
      this.#resolveAgain(signal)
    }
  }
}

/** Ends this process as the signal would have without a listener: at once, whatever its threads do. */
export function endBySignal(signal: string): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
