import { type Json, jsonText } from '@gyre/jobs'
import {
  type DhtCondition,
  type DhtRecord,
  type ServiceDht,
  ServiceError,
  updateRecord,
} from '@gyre/workers'
import type { LazySignal } from './lazy-signal.js'
import { withoutPaths } from './outcome.js'

/** What a handler asks of the hash table, as it leaves the thread. */
export type RecordCall =
  | { readonly op: 'get'; readonly key: string }
  | {
      readonly op: 'put'
      readonly key: string
      readonly value: Json
      readonly condition?: DhtCondition
    }
  | { readonly op: 'delete'; readonly key: string; readonly condition?: DhtCondition }

export type RecordAnswer =
  | { readonly ok: true; readonly record: DhtRecord | null }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** Of one attempt; becomes over when its handler has settled. */
export interface AttemptLife {
  isOver: boolean
}

/**
 * The thread's side of the hash table: calls go to the engine thread, which owns the way into the log,
 * and are answered there. A call of an attempt that is over is answered to nobody.
 */
export class RecordCalls {
  readonly #send: (call: number, body: string) => void
  readonly #waiting = new Map<number, (answer: RecordAnswer) => void>()
  #lastCall = 0

  constructor(send: (call: number, body: string) => void) {
    this.#send = send
  }

  answer(call: number, body: string): void {
    const take = this.#waiting.get(call)
    this.#waiting.delete(call)
    take?.(JSON.parse(body))
  }

  /** The hash table as one attempt sees it: no call outlives its signal, none begins after its end. */
  of(signal: LazySignal, life: AttemptLife): ServiceDht {
    const call = async (body: RecordCall): Promise<DhtRecord | null> => {
      if (life.isOver) throw tooLate()
      return this.#call(body, signal.value)
    }
    const dht: ServiceDht = {
      get: async (key) => (await call({ op: 'get', key })) ?? undefined,
      put: async (key, value, condition) => {
        const checked = checkedValue(key, value)
        const written = await call({ op: 'put', key, value: checked, ...only(condition) })
        if (written === null) throw new ServiceError('internal_error', 'a write gave no record')
        return written
      },
      delete: async (key, condition) => {
        await call({ op: 'delete', key, ...only(condition) })
      },
      update: (key, change, options) =>
        updateRecord(dht, key, change, { ...options, signal: signal.value }),
    }
    return dht
  }

  async #call(call: RecordCall, signal: AbortSignal): Promise<DhtRecord | null> {
    signal.throwIfAborted()
    this.#lastCall += 1
    const number = this.#lastCall
    const answer = await new Promise<RecordAnswer>((resolve, reject) => {
      const give = (): void => {
        this.#waiting.delete(number)
        reject(signal.reason)
      }
      signal.addEventListener('abort', give, { once: true })
      this.#waiting.set(number, (answer) => {
        signal.removeEventListener('abort', give)
        resolve(answer)
      })
      this.#send(number, JSON.stringify(call))
    })
    if (answer.ok) return answer.record
    if (call.op === 'get' && answer.code === 'record_not_found') return null
    throw new ServiceError(answer.code, answer.message, { retryable: !PERMANENT.has(answer.code) })
  }
}

/**
 * What a handler started and did not await goes on when its attempt has ended: it must not write beside
 * the next attempt, or the compensation.
 */
export function tooLate(): ServiceError {
  const message = 'the attempt has ended; await what you start'
  return new ServiceError('attempt_aborted', message, { retryable: false })
}

/** What stays wrong however often it is tried. */
const PERMANENT: ReadonlySet<string> = new Set([
  'invalid_key',
  'payload_too_large',
  'invalid_value',
])

function only(condition: DhtCondition | undefined): { readonly condition?: DhtCondition } {
  return condition === undefined ? {} : { condition }
}

function checkedValue(key: string, value: unknown): Json {
  const json = jsonText(value)
  if (json.ok) return JSON.parse(json.text)
  const code = json.isTooLarge ? 'payload_too_large' : 'invalid_value'
  const message = `record ${key} cannot hold this: the value ${withoutPaths(json.message)}`
  throw new ServiceError(code, message, { retryable: false })
}
