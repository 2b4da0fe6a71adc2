import { assert } from '../base/assert.js'
import type { Clock, Now } from '../ports/clock.js'

/** The clock of a real thread. */
export class SystemClock implements Clock {
  #soon: (() => void)[] = []

  now(): Now {
    return { mono: performance.now(), wall: Date.now() }
  }

  /** Never rings early; the event loop may make it late. */
  alarm(delayMs: number, ring: () => void): () => void {
    assert(!Number.isNaN(delayMs), 'an alarm after NaN milliseconds')
    const dueAt = performance.now() + delayMs
    let timer: NodeJS.Timeout | undefined
    let cancelled = false
    const wait = (): void => {
      const leftMs = Math.ceil(dueAt - performance.now())
      if (leftMs > 0) {
        timer = setTimeout(wait, Math.min(leftMs, TIMER_MS_MAX))
        return
      }
      // Two timers may be due in one turn: what the first wanted soon comes before the second.
      this.#runSoon()
      if (!cancelled) ring()
    }
    timer = setTimeout(wait, Math.min(Math.max(0, Math.ceil(delayMs)), TIMER_MS_MAX))
    return () => {
      cancelled = true
      clearTimeout(timer)
    }
  }

  soon(run: () => void): void {
    if (this.#soon.length === 0) setImmediate(() => this.#runSoon())
    this.#soon.push(run)
  }

  #runSoon(): void {
    const due = this.#soon
    this.#soon = []
    for (const run of due) run()
  }
}

/** Node runs a longer timer at once. */
const TIMER_MS_MAX = 2 ** 31 - 1
