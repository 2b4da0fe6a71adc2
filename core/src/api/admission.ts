import type { FastifyRequest } from 'fastify'
import { BODIES_IN_FLIGHT_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/**
 * Bounds the memory that request bodies may take. A body counts as it comes and until its request is
 * answered or gone: what a client only announces keeps nobody else out, however slowly it sends.
 */
export class Admission {
  readonly #received = new WeakMap<FastifyRequest, number>()
  #inFlightBytes = 0

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /**
   * A body that could not be taken now is refused before it is read.
   *
   * @throws Problem `overloaded`
   */
  enter(request: FastifyRequest, bytesMax: number): void {
    const announced = Number(request.headers['content-length'] ?? 0)
    // What is longer than its route takes is refused for that, before it is read.
    if (announced <= bytesMax) this.#requireRoom(announced)
  }

  /**
   * Bytes of the request's body have come.
   *
   * @throws Problem `overloaded`; they are not counted then
   */
  take(request: FastifyRequest, bytes: number): void {
    this.#requireRoom(bytes)
    this.#received.set(request, (this.#received.get(request) ?? 0) + bytes)
    this.#inFlightBytes += bytes
  }

  /** All that the request took; again, or for another, it does nothing. */
  leave(request: FastifyRequest): void {
    this.#inFlightBytes -= this.#received.get(request) ?? 0
    this.#received.delete(request)
  }

  #requireRoom(bytes: number): void {
    if (bytes === 0 || this.#inFlightBytes + bytes <= BODIES_IN_FLIGHT_BYTES_MAX) return
    throw new Problem('overloaded', 'the node is receiving more than it can hold; try again')
  }
}
