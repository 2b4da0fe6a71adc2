import type { IncomingMessage } from 'node:http'
import type { Submission } from '@gyre/jobs'
import type { IdempotencyStamp } from '../protocol/ledger/command.js'
import { canonicalJson } from '../base/canonical-json.js'
import { hashId, sha256 } from './hash-id.js'
import { IDEMPOTENCY_KEY_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/**
 * Recognising a repeated request. The key decides where (the same arc for the same key), the
 * fingerprint whether it is the same request: RFC 8785 canonical form, so member order and number
 * spelling do not matter.
 */

/** Single and batch submissions share one key space, whatever their path. */
const SUBMISSIONS = 'submit'

export function submissionStamp(key: string, submission: Submission): IdempotencyStamp {
  const { idempotencyKey: _key, notAfter: _notAfter, ...request } = submission
  return { key: hashId('idempotency', `${SUBMISSIONS}\0${key}`), fingerprint: fingerprint(request) }
}

/** For every other call a key belongs to method and path. */
export function callStamp(
  key: string,
  call: { readonly method: string; readonly path: string; readonly request: unknown },
): IdempotencyStamp {
  const { method, path, request } = call
  return {
    key: hashId('idempotency', `${method} ${path}\0${key}`),
    fingerprint: fingerprint(request),
  }
}

/**
 * @param request  its `headers` only say whether there is one: there Node joins two to one key
 * @returns the key of the header; undefined without one
 * @throws Problem `invalid_request` when the header is empty, repeated, too long or no UTF-8
 */
export function idempotencyKeyOf(request: Keyed): string | undefined {
  if (request.headers[NAME] === undefined) return undefined
  const [key = '', ...more] = request.headersDistinct[NAME] ?? []
  if (more.length > 0) {
    throw new Problem('invalid_request', `${HEADER} must be given once`, { at: HEADER })
  }
  return checkedKey(decode(key), HEADER)
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Node gives each byte of a header as a character; the same key in a body is UTF-8. */
function decode(bytes: string): string {
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    throw new Problem('invalid_request', `${HEADER} is not valid UTF-8`, { at: HEADER })
  }
}

/**
 * @param at  where the key stands, for the message
 * @throws Problem `invalid_request` when it is empty or too long
 */
export function checkedKey(key: string, at: string): string {
  if (key !== '' && Buffer.byteLength(key) <= IDEMPOTENCY_KEY_BYTES_MAX) return key
  const detail = `an idempotency key has 1 to ${IDEMPOTENCY_KEY_BYTES_MAX} bytes of UTF-8`
  throw new Problem('invalid_request', detail, { at })
}

type Keyed = Pick<IncomingMessage, 'headers' | 'headersDistinct'>

const HEADER = 'Idempotency-Key'
const NAME = 'idempotency-key'

function fingerprint(request: unknown): string {
  return sha256(canonicalJson(request))
}
