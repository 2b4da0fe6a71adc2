import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DRAIN_BYTES_MAX, DRAIN_CHECK_MS, DRAIN_MS_MAX } from './limits.js'

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
  const firstByte = socket.bytesRead
  const began = performance.now()
  request.resume()
  const look = setInterval(() => {
    const isOver = request.complete || socket.destroyed
    const isTooMuch =
      socket.bytesRead - firstByte > DRAIN_BYTES_MAX || performance.now() - began > DRAIN_MS_MAX
    if (!isOver && !isTooMuch) return
    clearInterval(look)
    if (!isOver) socket.destroy()
    else if (isLast) socket.end()
  }, DRAIN_CHECK_MS)
}
