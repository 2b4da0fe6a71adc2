import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** A request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * The exchange under way on each connection, for faults that Node tells of a connection only: what
 * is answered belongs to that request, or has to wait for its answer.
 */
export class OpenExchanges {
  readonly #bySocket = new WeakMap<Duplex, Exchange>()

  constructor(server: Server) {
    server.on('request', (request, response) => {
      this.#bySocket.set(request.socket, { request, response })
    })
  }

  /** The last exchange of the connection, unless it is over. */
  of(socket: Duplex): Exchange | null {
    const exchange = this.#bySocket.get(socket)
    if (exchange === undefined) return null
    const { request, response } = exchange
    return request.complete && response.writableFinished ? null : exchange
  }
}
