import { setMaxListeners } from 'node:events'

/**
 * The abort signal of an attempt, made when somebody asks for it: most handlers never do, and an
 * `AbortSignal` costs more than all else that an attempt is given.
 */
export class LazySignal {
  #controller: AbortController | null = null
  #reason: Error | null = null

  get value(): AbortSignal {
    this.#controller ??= this.#begin()
    return this.#controller.signal
  }

  /** Listeners run inside this call. */
  abort(reason: Error): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  /** @throws the reason once it is aborted */
  throwIfAborted(): void {
    if (this.#reason !== null) throw this.#reason
  }

  #begin(): AbortController {
    const controller = new AbortController()
    // A handler may hang as many listeners on its signal as it has things to stop.
    setMaxListeners(0, controller.signal)
    if (this.#reason !== null) controller.abort(this.#reason)
    return controller
  }
}
