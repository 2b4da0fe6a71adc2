import type { FastifyRequest } from 'fastify'
import { BODIES_IN_FLIGHT_BYTES_MAX, BODY_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/**
 * Bounds the memory that request bodies may take: a request reserves what it announces, or all that
 * it might send, until it is answered or gone.
 */
export class Admission {
  readonly #reserved = new WeakMap<FastifyRequest, number>()
  #inFlightBytes = 0

  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** @throws Problem `overloaded` */
  enter(request: FastifyRequest): void {
    const bytes = announcedBytes(request)
    if (bytes === 0) return
    if (this.#inFlightBytes + bytes > BODIES_IN_FLIGHT_BYTES_MAX) {
      throw new Problem('overloaded', 'the node is receiving more than it can hold; try again')
    }
    this.#reserved.set(request, bytes)
    this.#inFlightBytes += bytes
  }

  /** Once for each request that entered; again, or for another, it does nothing. */
  leave(request: FastifyRequest): void {
    this.#inFlightBytes -= this.#reserved.get(request) ?? 0
    this.#reserved.delete(request)
  }
}

function announcedBytes(request: FastifyRequest): number {
  const { headers, routeOptions } = request
  const limit = routeOptions.bodyLimit ?? BODY_BYTES_MAX
  if (headers['transfer-encoding'] !== undefined) return limit
  const bytes = Number(headers['content-length'] ?? 0)
  // More than the route takes is refused before it is read.
  return Number.isFinite(bytes) ? Math.min(bytes, limit) : 0
}
