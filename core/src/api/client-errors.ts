import type { Socket } from 'node:net'
import { HEADER_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/** What never became a request: bytes that are no HTTP, headers without end, a client that stalls. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Nobody is there to read an answer, or one is under way already.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const problem = problemFor(error.code)
  const body = JSON.stringify(problem.toBody())
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}\r\n` +
      'content-type: application/problem+json; charset=utf-8\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const REASONS: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

function problemFor(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(
        'headers_too_large',
        `headers and URL together may have ${HEADER_BYTES_MAX} bytes`,
      )
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem('payload_too_large', 'the chunk extensions of the body are too long')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('request_timeout', 'the request did not arrive in time; send it again')
    default:
      return new Problem('malformed_request', 'these bytes are not a valid HTTP/1.1 request')
  }
}
