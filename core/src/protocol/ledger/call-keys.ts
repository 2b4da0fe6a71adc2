import type { IdempotencyStamp } from './command.js'
import type { EntryContext } from './entry-context.js'
import { CALL_KEY_KEPT_MS, CALL_KEYS_PURGED } from './limits.js'
import type { Applied } from './outcome.js'
import { type CallKeyRow, keys, sortable } from './rows-layout.js'

/**
 * Idempotency keys of calls that concern something that exists (cancel, retry, resubmit, deletions):
 * kept for 24 hours of arc time, so that a repeat is recognised. Submissions have their own rows, kept
 * as long as their jobs.
 */

/** Whether the call was made before. A key that has expired is as good as new. */
export function recallCall(
  context: EntryContext,
  stamp: IdempotencyStamp | undefined,
): 'new' | 'repeated' | Extract<Applied, { readonly ok: false }> {
  if (stamp === undefined) return 'new'
  const row = context.rows.get<CallKeyRow>(keys.callKey(stamp.key))
  if (row === undefined || row.expiresAt <= context.at) return 'new'
  return row.fingerprint === stamp.fingerprint ? 'repeated' : keyReused()
}

/** The job that the call has made before; undefined: it is new. */
export function recallMade(
  context: EntryContext,
  stamp: IdempotencyStamp | undefined,
): string | undefined | Extract<Applied, { readonly ok: false }> {
  const call = recallCall(context, stamp)
  if (call === 'new' || stamp === undefined) return undefined
  if (call !== 'repeated') return call
  return context.rows.get<CallKeyRow>(keys.callKey(stamp.key))?.job
}

/**
 * Remembers a call that was carried out, and forgets a few that have expired.
 *
 * @param job  that it has made; undefined: none
 */
export function rememberCall(
  context: EntryContext,
  stamp: IdempotencyStamp | undefined,
  job?: string,
): void {
  if (stamp === undefined) return
  purgeExpired(context)
  const key = keys.callKey(stamp.key)
  const before = context.rows.get<CallKeyRow>(key)
  if (before !== undefined) context.rows.delete(keys.callKeyExpiry(before.expiresAt, stamp.key))
  const expiresAt = context.at + CALL_KEY_KEPT_MS
  const { fingerprint } = stamp
  const row: CallKeyRow = { fingerprint, expiresAt, ...(job === undefined ? {} : { job }) }
  context.rows.put(key, row)
  context.rows.put(keys.callKeyExpiry(expiresAt, stamp.key), {})
}

export function keyReused(): Extract<Applied, { readonly ok: false }> {
  return {
    ok: false,
    code: 'idempotency_key_reused',
    message:
      'this Idempotency-Key was used for a different request; use a new key for a new request',
  }
}

function purgeExpired(context: EntryContext): void {
  const from = 'v/'
  const to = `${from}${sortable(context.at + 1)}`
  const digits = sortable(0).length
  for (const { key } of context.rows.scan(from, to, CALL_KEYS_PURGED)) {
    context.rows.delete(key)
    context.rows.delete(keys.callKey(key.slice(from.length + digits + 1)))
  }
}
