import { decodeTurn, encodeTurn } from '../protocol/node/turn-codec.js'
import type { Link } from '../ports/link.js'

/** What a MessagePort, a Worker and `parentPort` have in common. */
export interface ThreadPort {
  postMessage(turn: readonly string[]): void
  on(event: 'message', receive: (turn: unknown) => void): unknown
}

/**
 * One end of a link between two threads. All that is sent in one turn of the loop leaves in one
 * message at its end, after every callback that was due: a port that wakes its reader for each
 * message would cost more than the message.
 */
export class ThreadLink<Out extends object, In extends object> implements Link<Out, In> {
  readonly #port: ThreadPort
  #outbox: Out[] = []

  constructor(port: ThreadPort) {
    this.#port = port
  }

  send(message: Out): void {
    if (this.#outbox.length === 0) setImmediate(() => this.#leave())
    this.#outbox.push(message)
  }

  /** To be called once; what arrives before is kept by the port. */
  onReceive(receive: (messages: readonly In[]) => void): void {
    this.#port.on('message', (turn) => receive(decodeTurn<In>(turn)))
  }

  #leave(): void {
    const leaving = this.#outbox
    this.#outbox = []
    this.#port.postMessage(encodeTurn(leaving))
  }
}
