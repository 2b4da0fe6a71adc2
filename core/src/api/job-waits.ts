import type { Reply } from '../protocol/ledger/outcome.js'
import type { NodeClient } from '../runtime/node-client.js'
import { WAITS_MAX } from './limits.js'

/**
 * Requests that wait for a job's end. Each ends once: the job ended, time ran out, the client went
 * away or the node stops. Whoever gives up takes its watch back, so a client that is gone costs
 * nothing.
 */
export class JobWaits {
  readonly #client: Pick<NodeClient, 'watchJob'>
  readonly #open = new Set<() => void>()
  #stopped = false

  constructor(client: Pick<NodeClient, 'watchJob'>) {
    this.#client = client
  }

  get isFull(): boolean {
    return this.#open.size >= WAITS_MAX
  }

  /** True: nobody may wait any more, because the node stops. */
  get isStopped(): boolean {
    return this.#stopped
  }

  get count(): number {
    return this.#open.size
  }

  /**
   * @param signal aborted when the client goes away
   * @returns null when the job did not end in time, or nobody may wait now
   */
  untilEnded(id: string, options: { waitMs: number; signal: AbortSignal }): Promise<Reply | null> {
    const { waitMs, signal } = options
    if (waitMs <= 0 || this.#stopped || this.isFull || signal.aborted) return Promise.resolve(null)
    const watch = this.#client.watchJob(id)
    return new Promise((resolve) => {
      const finish = (reply: Reply | null): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        this.#open.delete(giveUp)
        resolve(reply)
      }
      const giveUp = (): void => {
        watch.cancel()
        finish(null)
      }
      const timer = setTimeout(giveUp, waitMs)
      signal.addEventListener('abort', giveUp)
      this.#open.add(giveUp)
      void watch.reply.then(finish)
    })
  }

  /** All who wait are answered with what is known now; nobody waits any more. */
  stop(): void {
    this.#stopped = true
    for (const giveUp of [...this.#open]) giveUp()
  }
}
