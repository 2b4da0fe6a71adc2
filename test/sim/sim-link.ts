import type { Prng } from '@gyre/core/internal/base/prng.js'
import type { Link } from '@gyre/core/internal/ports/link.js'
import { decodeTurn, encodeTurn } from '@gyre/core/internal/protocol/node/turn-codec.js'
import type { SimThread } from './sim-thread.js'

/** How long a turn's messages travel between two threads, milliseconds. */
export interface LinkDelay {
  readonly minMs: number
  readonly maxMs: number
}

/** Called for every message that leaves, for checkers and the trace. */
export type Tap<Message> = (message: Message) => void

/**
 * The two ends of a link between two simulated threads. Each turn's messages leave together through
 * the real codec, travel for a drawn time and arrive in order: passing objects by reference would let
 * simulated threads share memory and hide bugs.
 */
export function connect<AtoB extends object, BtoA extends object>(options: {
  readonly a: SimThread
  readonly b: SimThread
  readonly delay: LinkDelay
  readonly prng: Prng
  readonly tapAtoB?: Tap<AtoB>
  readonly tapBtoA?: Tap<BtoA>
}): { readonly atA: Link<AtoB, BtoA>; readonly atB: Link<BtoA, AtoB> } {
  const { a, b, delay, prng } = options
  const forward = new Direction<AtoB>(a, b, delay, prng, options.tapAtoB)
  const back = new Direction<BtoA>(b, a, delay, prng, options.tapBtoA)
  return {
    atA: { send: (message) => forward.send(message), onReceive: (run) => back.onReceive(run) },
    atB: { send: (message) => back.send(message), onReceive: (run) => forward.onReceive(run) },
  }
}

class Direction<Message extends object> {
  readonly #from: SimThread
  readonly #to: SimThread
  readonly #delay: LinkDelay
  readonly #prng: Prng
  readonly #tap: Tap<Message> | undefined
  #outbox: Message[] = []
  /** Turns under way. An arrival takes the oldest, so that order survives pauses. */
  readonly #inTransit: string[][] = []
  #receive: ((messages: readonly Message[]) => void) | null = null

  constructor(from: SimThread, to: SimThread, delay: LinkDelay, prng: Prng, tap?: Tap<Message>) {
    this.#from = from
    this.#to = to
    this.#delay = delay
    this.#prng = prng
    this.#tap = tap
  }

  send(message: Message): void {
    this.#from.process.effect()
    if (this.#outbox.length === 0) this.#from.soon(() => this.#leave())
    this.#outbox.push(message)
    this.#tap?.(message)
  }

  onReceive(receive: (messages: readonly Message[]) => void): void {
    this.#receive = receive
    if (this.#inTransit.length > 0) this.#to.after(0, () => this.#arrive())
  }

  #leave(): void {
    this.#inTransit.push(encodeTurn(this.#outbox))
    this.#outbox = []
    const spanMs = this.#delay.maxMs - this.#delay.minMs
    const delayMs = this.#delay.minMs + (spanMs * this.#prng.below(1024)) / 1024
    this.#to.after(delayMs, () => this.#arrive())
  }

  #arrive(): void {
    if (this.#receive === null) return
    const turn = this.#inTransit.shift()
    if (turn === undefined) return
    this.#receive(decodeTurn<Message>(turn))
  }
}
