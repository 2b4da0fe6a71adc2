import { RECORD_KEY_BYTES_MAX, VALUE_BYTES_MAX } from '@gyre/jobs'
import { arcOf } from '../../base/ids.js'
import type { Command, RecordCondition } from '../../protocol/ledger/command.js'
import type { FromServices, ToServices } from '../../protocol/node/messages.js'
import { RECORD_CALLS_MAX } from './limits.js'
import type { RecordAnswer, RecordCall } from './record-calls.js'

export interface RecordDeskOptions {
  readonly arcCount: number
  /** The hash ID of a record's key, 32 hex digits. */
  readonly idOf: (key: string) => string
  readonly toEngine: (message: FromServices) => void
}

type Reply = Extract<ToServices, { readonly kind: 'reply' }>

/**
 * The engine thread's side of the handlers' hash table: makes commands and queries of their calls and
 * hands the answers back. Writes of handlers count as completions of work that was taken, so they are
 * not refused on overload; how many are on their way at a time is bounded here.
 *
 * Nothing that a thread says is taken for granted (reported-outcome.ts says why).
 */
export class RecordDesk {
  readonly #options: RecordDeskOptions
  readonly #open = new Map<number, (answer: RecordAnswer) => void>()
  #lastRequest = 0

  constructor(options: RecordDeskOptions) {
    this.#options = options
  }

  take(body: string, answer: (answer: RecordAnswer) => void): void {
    const call = parsed(body)
    if (call === null)
      return answer(refusal('invalid_request', 'this is no call of the hash table'))
    const wrong = wrongWith(call, body.length)
    if (wrong !== null) return answer(wrong)
    if (this.#open.size >= RECORD_CALLS_MAX) {
      return answer(refusal('overloaded', `${RECORD_CALLS_MAX} calls are open already`))
    }
    this.#lastRequest += 1
    const request = this.#lastRequest
    this.#open.set(request, answer)
    const id = this.#options.idOf(call.key)
    const arc = arcOf(id, this.#options.arcCount)
    const kind = call.op === 'get' ? 'query' : 'propose'
    this.#options.toEngine({ kind, request, arc, body: JSON.stringify(commandOf(call, id)) })
  }

  answered({ request, reply, body }: Reply): void {
    const answer = this.#open.get(request)
    this.#open.delete(request)
    if (!reply.ok) return answer?.(refusal(reply.code, reply.message))
    answer?.({ ok: true, record: body === undefined ? null : JSON.parse(body) })
  }
}

function commandOf(
  call: RecordCall,
  id: string,
): Command | { readonly kind: 'record'; readonly key: string } {
  const { key } = call
  if (call.op === 'get') return { kind: 'record', key }
  const condition = conditionOf(call.condition)
  const more = condition === undefined ? {} : { condition }
  if (call.op === 'delete') return { kind: 'delete-record', key, id, ...more }
  return { kind: 'put-record', key, id, value: call.value, ...more }
}

function conditionOf(condition: unknown): RecordCondition | undefined {
  if (typeof condition !== 'object' || condition === null) return undefined
  if ('ifAbsent' in condition) return { kind: 'absent' }
  if ('ifVersion' in condition) return { kind: 'version', version: Number(condition.ifVersion) }
  return undefined
}

function wrongWith(call: RecordCall, chars: number): RecordAnswer | null {
  const { key } = call
  const bytes = Buffer.byteLength(key)
  if (bytes === 0 || bytes > RECORD_KEY_BYTES_MAX || /\p{Surrogate}/u.test(key)) {
    return refusal(
      'invalid_key',
      `a key has 1 to ${RECORD_KEY_BYTES_MAX} bytes of UTF-8, this one ${bytes}`,
    )
  }
  if (chars > 2 * VALUE_BYTES_MAX) {
    return refusal('payload_too_large', `the value is larger than ${VALUE_BYTES_MAX} bytes of JSON`)
  }
  return null
}

function parsed(body: string): RecordCall | null {
  try {
    const call: unknown = JSON.parse(body)
    const isCall = typeof call === 'object' && call !== null && 'op' in call && 'key' in call
    if (!isCall || typeof call.key !== 'string') return null
    const hasValue = call.op === 'put' && 'value' in call
    return call.op === 'get' || call.op === 'delete' || hasValue ? (call as RecordCall) : null
  } catch {
    return null
  }
}

function refusal(code: string, message: string): RecordAnswer {
  return { ok: false, code, message }
}
