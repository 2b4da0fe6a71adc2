/**
 * A clock that stands still until a test moves it. `runService` lets the service's timeout pass by it; a
 * handler that waits can be given its `sleep`.
 */
export class TestClock {
  #now: number
  readonly #alarms: { readonly at: number; readonly ring: () => void }[] = []

  /** @param now  milliseconds since 1970 */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  readonly now = (): number => this.#now

  /** Resolves when the clock has been moved so far; rejects with the signal's reason. */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#alarms.push({ at: this.#now + ms, ring: resolve })
    })

  /** Moves on and wakes whoever slept so long, in order; then lets them run. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const next = this.#alarms.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#alarms.splice(this.#alarms.indexOf(next), 1)
      this.#now = next.at
      next.ring()
      await settle()
    }
    this.#now = until
    await settle()
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
