import { type JobError, jsonText } from '@gyre/jobs'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import { ERROR_DETAILS_BYTES_MAX, ERROR_MESSAGE_MAX } from './limits.js'

/**
 * Turns whatever a handler returned or threw into plain, bounded data. The values are a stranger's:
 * each look at them may throw (getters, proxies, `toJSON`), and none may reach the rest of the node
 * as it is.
 */

/**
 * Taken before any plugin is loaded: one that replaces them must not get other than JSON into the log,
 * where an outcome goes as the text it is.
 */
const { parse, stringify } = JSON

/** An outcome as it is reported. */
export function outcomeBody(outcome: AttemptOutcome): string {
  return stringify(outcome)
}

export function failedBody(error: JobError): string {
  return outcomeBody({ kind: 'failed', error })
}

export function permanent(code: string, message: string): JobError {
  return { code, message: message.slice(0, ERROR_MESSAGE_MAX), retryable: false }
}

export type OutputText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: JobError }

/** The output as JSON text, at most VALUE_BYTES_MAX bytes and JSON_DEPTH_MAX deep. */
export function outputText(output: unknown): OutputText {
  const json = jsonText(output === undefined ? null : output)
  if (json.ok) return json
  const code = json.isTooLarge ? 'output_too_large' : 'output_invalid'
  return { ok: false, error: permanent(code, `the output ${withoutPaths(json.message)}`) }
}

export const CODE_PATTERN = /^[a-z][a-z0-9_]{0,63}$/

/**
 * What clients see of a thrown value: a `ServiceError`'s own code, message and details; of anything
 * else a message without host paths, code `service_failed`, retryable.
 */
export function errorOf(thrown: unknown): JobError {
  try {
    return isServiceError(thrown) ? fromServiceError(thrown) : fromAnything(thrown)
  } catch {
    const message = 'the handler threw a value that cannot be read'
    return { code: 'service_failed', message, retryable: true }
  }
}

interface ServiceErrorShape {
  readonly name: 'ServiceError'
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details?: unknown
}

/** By shape, not by class: a plugin may carry its own copy of the SDK. */
function isServiceError(thrown: unknown): thrown is ServiceErrorShape {
  if (typeof thrown !== 'object' || thrown === null) return false
  if (!('name' in thrown) || thrown.name !== 'ServiceError') return false
  const { code, message, retryable } = thrown as Partial<ServiceErrorShape>
  return typeof code === 'string' && typeof message === 'string' && typeof retryable === 'boolean'
}

function fromServiceError(thrown: ServiceErrorShape): JobError {
  const code = CODE_PATTERN.test(thrown.code) ? thrown.code : 'service_failed'
  const error = { code, message: cut(thrown.message), retryable: thrown.retryable }
  if (thrown.details === undefined) return error
  const details = jsonText(thrown.details)
  if (!details.ok || !details.text.startsWith('{')) return error
  const fits = Buffer.byteLength(details.text) <= ERROR_DETAILS_BYTES_MAX
  return fits ? { ...error, details: parse(details.text) } : error
}

function fromAnything(thrown: unknown): JobError {
  return { code: 'service_failed', message: cut(messageOf(thrown)), retryable: true }
}

/** A short text about any thrown value, without host paths. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) {
      return withoutPaths(thrown.message === '' ? thrown.name : String(thrown.message))
    }
    if (typeof thrown === 'string') return withoutPaths(thrown)
    return `the handler threw ${withoutPaths(stringify(thrown) ?? String(thrown))}`
  } catch {
    return 'the handler threw a value that cannot be read'
  }
}

/**
 * Cuts absolute paths down to their last name: where things stand on this host is nobody's business
 * who can only read the job. Paths of URLs are left alone.
 */
export function withoutPaths(text: string): string {
  return text
    .slice(0, 4 * ERROR_MESSAGE_MAX)
    .replace(/file:\/\/[^\s'"`)]*\/([^\s/'"`)]*)/g, '$1')
    .replace(/(?<![\w:/.])\/(?:[^\s/:'"`()]+\/)+([^\s/:'"`()]*)/g, '…/$1')
    .replace(/(?<![\w])[A-Za-z]:\\(?:[^\s\\'"`()]+\\)+([^\s\\'"`()]*)/g, '…\\$1')
}

function cut(message: string): string {
  return message.length <= ERROR_MESSAGE_MAX ? message : `${message.slice(0, ERROR_MESSAGE_MAX)}…`
}
