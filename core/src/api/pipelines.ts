import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { PIPELINED_MAX } from './limits.js'
import { Problem } from './problem.js'

/**
 * Bounds what one connection may ask for before it has read the answers. Node stops reading from a
 * connection whose answers pile up, but all requests of one packet are under way by then, and a
 * packet has room for a thousand, each for an answer of 256 KiB.
 */
export class Pipelines {
  readonly #open = new WeakMap<Duplex, number>()

  /** Requests of this connection that are not answered yet. */
  openOf(socket: Duplex): number {
    return this.#open.get(socket) ?? 0
  }

  /**
   * A request has come; it counts until its answer is sent.
   *
   * @throws Problem `overloaded`
   */
  enter(socket: Duplex, response: ServerResponse): void {
    const open = (this.#open.get(socket) ?? 0) + 1
    this.#open.set(socket, open)
    response.once('close', () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1))
    if (open <= PIPELINED_MAX) return
    const detail = `a connection may wait for ${PIPELINED_MAX} answers at a time; read them first`
    throw new Problem('overloaded', detail)
  }
}
