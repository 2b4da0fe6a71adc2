import type { Submission } from '@gyre/jobs'
import type { IdempotencyStamp } from '../protocol/ledger/command.js'
import { canonicalJson } from './canonical-json.js'
import { hashId, sha256 } from './hash-id.js'
import { IDEMPOTENCY_KEY_LENGTH_MAX } from './limits.js'
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
 * @returns the key of the header; undefined without one
 * @throws Problem `invalid_request` when the header is empty, repeated or too long
 */
export function idempotencyKeyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  if (typeof header === 'string' && header !== '' && header.length <= IDEMPOTENCY_KEY_LENGTH_MAX) {
    return header
  }
  throw new Problem(
    'invalid_request',
    `Idempotency-Key must be given once and have 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters`,
  )
}

function fingerprint(request: unknown): string {
  return sha256(canonicalJson(request))
}
