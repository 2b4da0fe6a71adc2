import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from './problem.js'

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)"?/i
const UTF8 = /^utf-?8$/i

/**
 * Bodies are JSON in UTF-8 as it is: taking other bytes for that would store something that nobody
 * wrote.
 *
 * @throws Problem `unsupported_media_type`
 */
export function checkBodyEncoding(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? ''
  const [, charset] = type.includes(';') ? (CHARSET.exec(type) ?? []) : []
  if (charset !== undefined && !UTF8.test(charset)) {
    throw new Problem('unsupported_media_type', 'send JSON in UTF-8; other charsets are not read')
  }
  const coding = headers['content-encoding']
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    const detail = 'send the body as it is, without Content-Encoding'
    throw new Problem('unsupported_media_type', detail)
  }
}
