import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  DRAIN_BYTES_MAX,
  DRAIN_CHECK_MS,
  DRAIN_SILENCE_MS_MAX,
  REQUEST_TIMEOUT_MS,
} from './limits.js'

/**
 * For a request that is answered before its body has come. Closing a connection with unread bytes
 * resets it, and a client that is still writing loses the answer; so the answer goes out at once, and
 * what still comes of the body is read for nothing, in bounds, before anything is closed.
 */
export function drainBeforeClosing(
  request: FastifyRequest,
  reply: FastifyReply,
  { thenClose }: { readonly thenClose: boolean },
): void {
  const isLast = thenClose || !reply.raw.shouldKeepAlive
  // Node closes the connection as soon as such an answer is written.
  reply.removeHeader('connection')
  reply.raw.shouldKeepAlive = true
  reply.raw.once('finish', () => drain(request.raw, isLast))
}

function drain(request: IncomingMessage, isLast: boolean): void {
  const { socket } = request
  const patience = new DrainPatience(performance.now(), socket.bytesRead)
  request.resume()
  const look = setInterval(() => {
    const isOver = request.complete || socket.destroyed
    if (!isOver && !patience.isOver(performance.now(), socket.bytesRead)) return
    clearInterval(look)
    if (!isOver) socket.destroy()
    else if (isLast) socket.end()
  }, DRAIN_CHECK_MS)
}

/**
 * How long a refused body is read. A client that keeps sending is heard out, however slowly this
 * machine gets to read it: a limit of time alone cuts honest clients when all of them are refused.
 */
export class DrainPatience {
  readonly #began: number
  readonly #firstByte: number
  #heardAt: number
  #bytes: number

  /** @param bytes  read of the connection so far */
  constructor(now: number, bytes: number) {
    this.#began = now
    this.#firstByte = bytes
    this.#heardAt = now
    this.#bytes = bytes
  }

  isOver(now: number, bytes: number): boolean {
    if (bytes > this.#bytes) this.#heardAt = now
    this.#bytes = bytes
    return (
      bytes - this.#firstByte > DRAIN_BYTES_MAX ||
      now - this.#heardAt > DRAIN_SILENCE_MS_MAX ||
      now - this.#began > REQUEST_TIMEOUT_MS
    )
  }
}
