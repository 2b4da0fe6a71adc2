import type { Worker } from 'node:worker_threads'

/**
 * The life of a node as its main thread sees it: *starting* → *serving* → *stopping* → *ended*; from
 * any of these to *ended* with code 1 when a thread dies or says that it cannot go on.
 */
export class NodeLife {
  readonly serving: Promise<void>
  readonly stopped: Promise<void>
  readonly closed: Promise<{ readonly code: number }>
  readonly #worker: Worker
  #mode: 'starting' | 'serving' | 'stopping' | 'ended' = 'starting'
  #resolveServing: () => void = () => {}
  #rejectServing: (error: Error) => void = () => {}
  #resolveStopped: () => void = () => {}
  #resolveClosed: (end: { readonly code: number }) => void = () => {}
  #report: (error: Error) => void = () => {}

  constructor(worker: Worker) {
    this.#worker = worker
    this.serving = new Promise((resolve, reject) => {
      this.#resolveServing = resolve
      this.#rejectServing = reject
    })
    this.serving.catch(() => {})
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve
    })
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    worker.on('error', (error) => this.fail(error))
    worker.on('exit', (code) => this.fail(new Error(`the engine thread ended with code ${code}`)))
  }

  /** Called once, when a serving node fails. A failure at the start rejects `serving` instead. */
  onFailure(report: (error: Error) => void): void {
    this.#report = report
  }

  becomeServing(): void {
    if (this.#mode !== 'starting') return
    this.#mode = 'serving'
    this.#resolveServing()
  }

  /** @returns false when the node is stopping or has ended already */
  beginStop(): boolean {
    if (this.#mode !== 'serving') return false
    this.#mode = 'stopping'
    return true
  }

  becomeStopped(): void {
    this.#resolveStopped()
  }

  /** Ends the threads after a stop in good order. */
  async end(): Promise<void> {
    this.#mode = 'ended'
    await this.#worker.terminate()
    this.#resolveClosed({ code: 0 })
  }

  fail(error: Error): void {
    if (this.#mode === 'ended') return
    const wasStarting = this.#mode === 'starting'
    this.#mode = 'ended'
    if (wasStarting) this.#rejectServing(error)
    else this.#report(error)
    this.#resolveStopped()
    void this.#worker.terminate()
    this.#resolveClosed({ code: 1 })
  }
}
