import type { FastifyRequest } from 'fastify'
import { BODY_CHECK_MS, BODY_GIVES_WAY_MS, BODY_PACE_BYTES, BODY_PACE_MS } from './limits.js'
import { Problem } from './problem.js'

interface Arriving {
  readonly refuse: (problem: Problem) => void
  /** When bytes of it came last. */
  heardAt: number
  /** Since when its bytes are counted, for its pace. */
  countedFrom: number
  bytes: number
}

/**
 * Bodies that have come in part. What has come of them is kept in memory that others wait for, so a
 * client that stops sending loses its place: after a while in any case, and at once when somebody
 * else has no room.
 */
export class Arrivals {
  readonly #now: () => number
  /** The longest silent first. */
  readonly #arriving = new Map<FastifyRequest, Arriving>()
  #check: NodeJS.Timeout | null = null

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @param refuse  ends the body; called once at most */
  begin(request: FastifyRequest, refuse: (problem: Problem) => void): void {
    const now = this.#now()
    this.#arriving.set(request, { refuse, heardAt: now, countedFrom: now, bytes: 0 })
    this.#check ??= setInterval(() => this.refuseSlow(), BODY_CHECK_MS).unref()
  }

  note(request: FastifyRequest, bytes: number): void {
    const arriving = this.#arriving.get(request)
    if (arriving === undefined) return
    arriving.heardAt = this.#now()
    arriving.bytes += bytes
    this.#arriving.delete(request)
    this.#arriving.set(request, arriving)
  }

  /** All of it is there, or nothing more will come. Idempotent. */
  end(request: FastifyRequest): void {
    this.#arriving.delete(request)
  }

  /** @returns whose body was refused because it was silent while others had no room; null: nobody's */
  giveWay(): FastifyRequest | null {
    const [longest] = this.#arriving
    if (longest === undefined) return null
    const [request, { heardAt, refuse }] = longest
    if (this.#now() - heardAt < BODY_GIVES_WAY_MS) return null
    this.end(request)
    refuse(new Problem('overloaded', 'the body came too slowly while others waited; send it again'))
    return request
  }

  /**
   * Refuses every body that has fallen silent, or comes more slowly than the least pace. The check that
   * finds none is the last: most bodies have come before there is one at all.
   */
  refuseSlow(): void {
    if (this.#arriving.size === 0 && this.#check !== null) {
      clearInterval(this.#check)
      this.#check = null
    }
    const now = this.#now()
    for (const [request, arriving] of this.#arriving) {
      // However much came before: else it would have twice the time.
      if (now - arriving.heardAt > BODY_PACE_MS) {
        this.end(request)
        arriving.refuse(tooSlow())
        continue
      }
      if (now - arriving.countedFrom < BODY_PACE_MS) continue
      if (arriving.bytes < BODY_PACE_BYTES) {
        this.end(request)
        arriving.refuse(tooSlow())
      }
      arriving.countedFrom = now
      arriving.bytes = 0
    }
  }
}

function tooSlow(): Problem {
  const seconds = BODY_PACE_MS / 1000
  const detail = `less than ${BODY_PACE_BYTES} bytes of the body came in ${seconds} s; send it again`
  return new Problem('request_timeout', detail)
}
