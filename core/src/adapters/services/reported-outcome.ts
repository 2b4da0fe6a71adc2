import { JSON_DEPTH_MAX, VALUE_BYTES_MAX } from '@gyre/jobs'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import { ERROR_DETAILS_BYTES_MAX, ERROR_MESSAGE_MAX } from './limits.js'
import { CODE_PATTERN, failedBody, permanent } from './outcome.js'

/**
 * The engine's side of an attempt's report. What it accepts stands in the log for ever and is read
 * there by every replica, and the thread that says it shares its built-ins with plugins that may have
 * bent them: so nothing of what the thread promises is taken for granted.
 *
 * Cost, measured on Node 20: 1 µs for a small report; for one of 256 KiB 0.3 ms when it is one string
 * and 1 to 2 ms when it is many small values.
 */

/** The report as it was, or that of a failure `output_invalid` when it is no AttemptOutcome. */
export function checkedOutcome(body: string): string {
  return isOutcome(body) ? body : INVALID
}

function isOutcome(body: string): boolean {
  if (typeof body !== 'string' || Buffer.byteLength(body) > BODY_BYTES_MAX) return false
  const outcome = parsed(body)
  if (!isMembers(outcome) || typeof outcome['kind'] !== 'string') return false
  return SHAPES.get(outcome['kind'])?.(outcome, body) ?? false
}

type Members = Readonly<Record<string, unknown>>
type Shape = (outcome: Members, body: string) => boolean

const isBare: Shape = (outcome) => hasOnly(outcome, ['kind'])

const SHAPE_OF: Readonly<Record<AttemptOutcome['kind'], Shape>> = {
  succeeded: (outcome) => {
    return hasOnly(outcome, ['kind', 'output']) && 'output' in outcome && isFlat(outcome['output'])
  },
  failed: (outcome, body) => {
    const isSmall = body.length <= FAILED_CHARS_MAX
    const hasKnown = hasOnly(outcome, ['kind', 'error', 'unknown'])
    const isTold = outcome['unknown'] === undefined || outcome['unknown'] === true
    return isSmall && hasKnown && isTold && isError(outcome['error'])
  },
  timed_out: isBare,
  cancelled: isBare,
  not_started: isBare,
  lost: (outcome) => {
    return hasOnly(outcome, ['kind', 'charged']) && typeof outcome['charged'] === 'boolean'
  },
}

/** A map: a kind named `constructor` is none. */
const SHAPES: ReadonlyMap<string, Shape> = new Map(Object.entries(SHAPE_OF))

function isError(error: unknown): boolean {
  if (!isMembers(error) || !hasOnly(error, ['code', 'message', 'retryable', 'details']))
    return false
  const { code, message, retryable, details } = error
  if (typeof code !== 'string' || !CODE_PATTERN.test(code)) return false
  // A message that was cut ends in an ellipsis.
  if (typeof message !== 'string' || message.length > ERROR_MESSAGE_MAX + 1) return false
  if (typeof retryable !== 'boolean') return false
  return details === undefined || (isMembers(details) && isFlat(details))
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasOnly(value: Members, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name))
}

/** True when the value is nested at most `levels` deep and reaches for no prototype. */
function isFlat(value: unknown, levels = JSON_DEPTH_MAX): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0 || Object.hasOwn(value, '__proto__')) return false
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return members.every((member) => isFlat(member, levels - 1))
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const BODY_BYTES_MAX = VALUE_BYTES_MAX + '{"kind":"succeeded","output":}'.length
/** JSON may need six characters for one of a message; codes and names fit into the rest. */
const FAILED_CHARS_MAX = ERROR_DETAILS_BYTES_MAX + 6 * ERROR_MESSAGE_MAX + 1_024

const INVALID = failedBody(
  permanent(
    'output_invalid',
    'the services thread reported no valid outcome; a plugin may have replaced built-in functions',
  ),
)
