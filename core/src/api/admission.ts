import type { FastifyRequest } from 'fastify'
import { Arrivals } from './arrivals.js'
import { BODIES_IN_FLIGHT_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/**
 * Bounds the memory that request bodies may take. A body counts as it comes and until its request is
 * answered or gone: what a client only announces keeps nobody else out, however slowly it sends, and
 * what has come in part makes room for others once its client is silent.
 */
export class Admission {
  readonly #arrivals: Arrivals
  #inFlightBytes = 0

  constructor(arrivals: Arrivals = new Arrivals()) {
    this.#arrivals = arrivals
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /**
   * A body that could not be taken now is refused before it is read.
   *
   * @throws Problem `overloaded`
   */
  enter({ headers, bodyBytesMax }: FastifyRequest): void {
    const announced = Number(headers['content-length'] ?? 0)
    // What is longer than its route takes is refused for that, before it is read.
    if (announced <= bodyBytesMax) this.#requireRoom(announced)
  }

  /** The request's body begins to come; `refuse` ends it when it comes too slowly. */
  begin(request: FastifyRequest, refuse: (problem: Problem) => void): void {
    this.#arrivals.begin(request, refuse)
  }

  /** All of its body has come, or no more will. Idempotent. */
  end(request: FastifyRequest): void {
    this.#arrivals.end(request)
  }

  /**
   * Bytes of the request's body have come.
   *
   * @throws Problem `overloaded`; they are not counted then
   */
  take(request: FastifyRequest, bytes: number): void {
    this.#requireRoom(bytes)
    request.bytesInFlight += bytes
    this.#inFlightBytes += bytes
    this.#arrivals.note(request, bytes)
  }

  /** All that the request took; again, or for another, it does nothing. */
  leave(request: FastifyRequest): void {
    this.end(request)
    this.#inFlightBytes -= request.bytesInFlight
    request.bytesInFlight = 0
  }

  #requireRoom(bytes: number): void {
    while (bytes > 0 && this.#inFlightBytes + bytes > BODIES_IN_FLIGHT_BYTES_MAX) {
      const silent = this.#arrivals.giveWay()
      if (silent === null) throw full()
      this.leave(silent)
    }
  }
}

function full(): Problem {
  return new Problem('overloaded', 'the node is receiving more than it can hold; try again')
}
