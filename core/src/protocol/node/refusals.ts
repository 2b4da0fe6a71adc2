import type { ArcId } from '../../base/ids.js'
import { COMMAND_CHARS_MAX, RETRY_AFTER_SECONDS } from './limits.js'
import type { ArcStop, ToApi } from './messages.js'

/** Codes of what the engine does not take. */
export const REFUSAL_CODES = [
  'not_ready',
  'payload_too_large',
  'overloaded',
  'apply_stopped',
  'arc_unavailable',
] as const

export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** Why the engine does not take a command, or does not answer a read. Nothing was stored. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
  readonly details: Readonly<Record<string, number>>
}

const TRY_AGAIN = { retryAfter: RETRY_AFTER_SECONDS }

export function notReady(reason: string): Refusal {
  return { code: 'not_ready', message: `${reason}; try again`, details: TRY_AGAIN }
}

export function overloaded(message: string): Refusal {
  return { code: 'overloaded', message, details: TRY_AGAIN }
}

/** @param shortage what is lacking, for a sentence */
export function lacking(shortage: string): Refusal {
  return overloaded(`${shortage}: new work is refused until that is over; try again`)
}

export function stoppedRefusal(stop: ArcStop): Refusal {
  return { ...stop, details: TRY_AGAIN }
}

export function tooLarge(chars: number): Refusal {
  const message =
    `the command has ${chars} characters with everything that its job definition brings, more than ` +
    `${COMMAND_CHARS_MAX}; make its literal inputs smaller, or pass them by reference`
  return { code: 'payload_too_large', message, details: { limit: COMMAND_CHARS_MAX } }
}

export function refusalReply(request: number, arc: ArcId, refusal: Refusal): ToApi {
  return { kind: 'reply', request, arc, reply: { ok: false, ...refusal } }
}
