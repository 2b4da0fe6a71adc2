import type { Socket } from 'node:net'
import { HEADER_BYTES_MAX, URL_LENGTH_MAX } from './limits.js'
import type { OpenExchanges } from './open-exchanges.js'
import { Problem, urlTooLong } from './problem.js'

/** What never became a request: bytes that are no HTTP, headers without end, a client that stalls. */
export function answerClientError(error: ClientError, socket: Socket, open: OpenExchanges): void {
  const exchange = open.of(socket)
  // Nobody is there to read an answer, or it would be taken for the one to an earlier request.
  const isLate = exchange !== null && (exchange.request.complete || exchange.response.headersSent)
  if (error.code === 'ECONNRESET' || !socket.writable || isLate) {
    socket.destroy()
    return
  }
  const problem = problemFor(error)
  const target = exchange?.request.url ?? targetOf(error.rawPacket)
  const body = JSON.stringify(problem.toBody(target.split('?', 1)[0]?.slice(0, URL_LENGTH_MAX)))
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Bad Request'}\r\n` +
      'content-type: application/problem+json; charset=utf-8\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

/** As Node gives it. */
interface ClientError extends NodeJS.ErrnoException {
  /** The bytes that it was reading: a Buffer. */
  readonly rawPacket?: unknown
}

const REQUEST_LINE = /^[A-Z]+ (\/[\x21-\x7e]*)/

/** What the bytes ask for; the node as a whole when they do not say. */
function targetOf(bytes: unknown): string {
  const start = Buffer.isBuffer(bytes) ? bytes.toString('latin1', 0, URL_LENGTH_MAX) : ''
  return REQUEST_LINE.exec(start)?.[1] ?? '/'
}

/** A URL that is too long is told as headers that are; where it begins in these bytes it can be seen. */
function beginsWithLongUrl(bytes: unknown): boolean {
  return Buffer.isBuffer(bytes) && LONG_URL.test(bytes.toString('latin1', 0, 2 * URL_LENGTH_MAX))
}

const LONG_URL = new RegExp(`^[A-Z]+ /[\\x21-\\xff]{${URL_LENGTH_MAX}}`)

const REASONS: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
}

function problemFor({ code, rawPacket }: ClientError): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      if (beginsWithLongUrl(rawPacket)) return urlTooLong()
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
