import type { Readable } from 'node:stream'
import { Problem } from './problem.js'

export interface BodyBounds {
  /** Longest body, bytes: past it `payload_too_large`. */
  readonly bytesMax: number
  /** Told of the bytes as they come. @throws Problem when they cannot be taken */
  readonly take: (bytes: number) => void
  /** The length that its client has announced; NaN or absent: none. */
  readonly announcedBytes?: number
  /** Given what to call with a Problem when nothing more of the body is wanted. */
  readonly onBegin?: (refuse: (problem: Problem) => void) => void
}

/**
 * The bytes of a body, in one buffer that grows as they come. Neither is an announced length
 * reserved, nor is a piece kept as it came: each byte of a body may come as a piece of its own, and
 * as an object that would take a hundred times its size. Only a body that is one piece, whole, stays
 * where it is.
 *
 * @throws Problem as `bounds` say, and when the client breaks off
 */
export function collectBody(body: Readable, bounds: BodyBounds): Promise<Buffer> {
  let collected: Buffer = NOTHING
  let length = 0
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer): void => {
      try {
        if (length + piece.length > bounds.bytesMax) throw tooLarge(bounds)
        bounds.take(piece.length)
      } catch (error) {
        stop()
        reject(error)
        return
      }
      if (length === 0 && piece.length === bounds.announcedBytes) collected = piece
      else {
        collected = withRoom(collected, length, length + piece.length)
        collected.set(piece, length)
      }
      length += piece.length
    }
    const onEnd = (): void => {
      resolve(collected.length === length ? collected : collected.subarray(0, length))
    }
    const onError = (error: NodeJS.ErrnoException): void => {
      stop()
      reject(error.code === 'ECONNRESET' ? brokenOff() : error)
    }
    const stop = (): void => {
      body.off('data', onData).off('end', onEnd).off('error', onError)
    }
    body.on('data', onData).on('end', onEnd).on('error', onError)
    bounds.onBegin?.((problem) => {
      stop()
      reject(problem)
    })
  })
}

export function tooLarge({ bytesMax }: Pick<BodyBounds, 'bytesMax'>): Problem {
  return new Problem('payload_too_large', `the limit for this body is ${bytesMax} bytes`)
}

/** Read by nobody: the client is gone. But it is no failure of ours either. */
function brokenOff(): Problem {
  return new Problem('malformed_request', 'the connection ended in the middle of the body')
}

const NOTHING = Buffer.alloc(0)
const FIRST_BYTES = 4096

/** The buffer, or a larger one with the same first `used` bytes: twice as large, so that few are made. */
function withRoom(buffer: Buffer, used: number, needed: number): Buffer {
  if (needed <= buffer.length) return buffer
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * buffer.length, FIRST_BYTES))
  larger.set(buffer.subarray(0, used))
  return larger
}
