import { type JobError, JSON_DEPTH_MAX } from '@gyre/jobs'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import { ERROR_DETAILS_BYTES_MAX, ERROR_MESSAGE_MAX, OUTPUT_BYTES_MAX } from './limits.js'

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

/** The output as JSON text, at most OUTPUT_BYTES_MAX bytes and JSON_DEPTH_MAX deep. */
export function outputText(output: unknown): OutputText {
  if (output === undefined) return { ok: true, text: 'null' }
  let text: string | undefined
  try {
    text = stringify(output)
  } catch (error) {
    // A string longer than the engine allows is the one failure that means "too much".
    if (error instanceof RangeError && /string length/i.test(error.message)) return tooLarge()
    const message = `the output is not JSON: ${messageOf(error)}; return plain data`
    return { ok: false, error: permanent('output_invalid', message) }
  }
  if (text === undefined) {
    const message = `the output is a ${typeof output}, which JSON cannot carry; return plain data`
    return { ok: false, error: permanent('output_invalid', message) }
  }
  if (Buffer.byteLength(text) > OUTPUT_BYTES_MAX) return tooLarge()
  if (isTooDeep(text)) {
    const message = `the output is nested more than ${JSON_DEPTH_MAX} deep; return flatter data`
    return { ok: false, error: permanent('output_invalid', message) }
  }
  if (hasProtoMember(text)) {
    const message = 'the output has a member __proto__, which is not accepted; rename it'
    return { ok: false, error: permanent('output_invalid', message) }
  }
  return { ok: true, text }
}

/**
 * Stored under this name, a value would become another's prototype; bodies may not have it either.
 * In what JSON.stringify wrote, a quote behind a brace or comma begins a name or a value, never stands
 * inside a text.
 */
function hasProtoMember(json: string): boolean {
  return json.includes('{"__proto__":') || json.includes(',"__proto__":')
}

function tooLarge(): OutputText {
  const message =
    `the output is larger than ${OUTPUT_BYTES_MAX} bytes of JSON; ` +
    'write it somewhere (a file, a store) and return where it is'
  return { ok: false, error: permanent('output_too_large', message) }
}

/** Counts brackets outside strings, so that no recursion is needed to find recursion. */
function isTooDeep(json: string): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at]
    if (inString) {
      if (char === '\\') at += 1
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') {
      depth += 1
      if (depth > JSON_DEPTH_MAX) return true
    } else if (char === '}' || char === ']') depth -= 1
  }
  return false
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
  const text = stringify(thrown.details)
  const isObject = typeof text === 'string' && text.startsWith('{')
  const fits = isObject && Buffer.byteLength(text) <= ERROR_DETAILS_BYTES_MAX && !isTooDeep(text)
  return fits && !hasProtoMember(text) ? { ...error, details: parse(text) } : error
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
