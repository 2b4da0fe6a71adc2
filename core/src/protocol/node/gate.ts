import type { Admission } from './admission.js'
import type { FromApi } from './messages.js'
import type { Readiness } from './readiness.js'
import { lacking, notReady, type Refusal } from './refusals.js'
import type { StallWatch } from './stall-watch.js'
import type { Stopping } from './stopping.js'

export interface GateOptions {
  readonly readiness: Readiness
  readonly stopping: Stopping
  readonly stalls: StallWatch
  readonly admission: Admission
}

/** Who is let in, and why not: a node that starts, stops, has too much to do, or whose disk stands still. */
export class Gate {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Attempts may start. */
  get mayStart(): boolean {
    return this.#options.readiness.isServing && !this.#options.stopping.began
  }

  /** The node takes new work. */
  get isOpen(): boolean {
    return this.reason === null
  }

  /** Why it does not, in words. */
  get reason(): string | null {
    return this.#reasonNotServing ?? this.#options.stalls.reason
  }

  /** True once: at the first call after the node began to serve. */
  justOpened(): boolean {
    return this.#options.stalls.reason === null && this.#options.readiness.justBegan()
  }

  /**
   * Where the disk stands still, whatever an API call asks for would be answered when it has given up
   * waiting: it is told before anything is stored. What a handler asks for belongs to work that was taken.
   */
  refusalOf(proposal: Pick<Proposal, 'request' | 'body' | 'sheddable'>): Refusal | null {
    const { request, body, sheddable } = proposal
    const reason = this.#reasonNotServing
    if (reason !== null) return notReady(reason)
    const stall = request > 0 ? this.#options.stalls.reason : null
    return stall === null ? this.#options.admission.refusal(sheddable, body.length) : lacking(stall)
  }

  /** Services are not needed for reads, nor the log. */
  readRefusal(): Refusal | null {
    const { readiness, stalls } = this.#options
    if (readiness.isReadable && !stalls.stateIsStalled) return null
    return notReady(this.reason ?? 'the node is starting')
  }

  /** Room for what no work depends on. */
  get hasRoom(): boolean {
    const { stalls, admission } = this.#options
    return stalls.reason === null && admission.refusal(true, 0) === null
  }

  get #reasonNotServing(): string | null {
    const { stopping, readiness } = this.#options
    return stopping.began ? 'the node is stopping' : readiness.reason
  }
}

type Proposal = Extract<FromApi, { readonly kind: 'propose' }>
