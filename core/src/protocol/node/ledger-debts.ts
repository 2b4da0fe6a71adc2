import type { FromLedgerThread, RequestId } from './messages.js'

/**
 * What the ledger thread was asked and has not answered, beside entries (delivery.ts counts those). It
 * takes its messages in order, so that one answer stands for all that was asked before it; who waits for
 * the end of a job is answered when that comes, and owes nothing meanwhile.
 */
export class LedgerDebts {
  #lastAsked = 0
  #lastSettled = 0
  /** Open reads, and how many had been asked by then. */
  readonly #reads = new Map<RequestId, number>()
  /** How many had been asked when a sign was. */
  #askedAtSign = 0

  get isSettled(): boolean {
    return this.#lastSettled === this.#lastAsked
  }

  noteRead(request: RequestId): void {
    this.#lastAsked += 1
    this.#reads.set(request, this.#lastAsked)
  }

  noteUnwatched(request: RequestId): void {
    this.#reads.delete(request)
  }

  /** The end of the node's life: answered by `closed`. */
  noteClose(): void {
    this.#lastAsked += 1
  }

  noteSignAsked(): void {
    this.#askedAtSign = this.#lastAsked
  }

  noteAnswer(message: FromLedgerThread): void {
    if (message.kind === 'reply') this.#settle(this.#reads.get(message.request) ?? 0)
    if (message.kind === 'reply') this.#reads.delete(message.request)
    if (message.kind === 'signed') this.#settle(this.#askedAtSign)
    if (message.kind === 'closed') this.#settle(this.#lastAsked)
  }

  #settle(asked: number): void {
    this.#lastSettled = Math.max(this.#lastSettled, asked)
  }
}
