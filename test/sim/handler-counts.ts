import type { Json } from '@gyre/jobs'
import type {
  RecordAnswer,
  RecordCall,
} from '@gyre/core/internal/adapters/services/record-calls.js'
import { RecordDesk } from '@gyre/core/internal/adapters/services/record-desk.js'
import type { FromServices, ToServices } from '@gyre/core/internal/protocol/node/messages.js'
import { idOfName } from './client.js'
import type { Observation } from './observation.js'
import type { SimThread } from './sim-thread.js'

/** Records that handlers count in: few, so that they meet there. */
const COUNTERS = 3
/** Losses after which a handler gives up, like `ctx.dht.update`. */
const TRIES_MAX = 20
const PAUSE_MS = 7

export interface HandlerCountsOptions {
  readonly thread: SimThread
  readonly arcCount: number
  readonly toEngine: (message: FromServices) => void
  readonly observe: (observation: Observation) => void
}

/**
 * Handlers that count in records, by the loop of `ctx.dht.update`: read, add oneself, write if nobody
 * else wrote meanwhile. The desk is the real one; the thread's side of it needs promises and real time,
 * and is played here.
 */
export class HandlerCounts {
  readonly #options: HandlerCountsOptions
  readonly #desk: RecordDesk

  constructor(options: HandlerCountsOptions) {
    this.#options = options
    const { arcCount, toEngine } = options
    this.#desk = new RecordDesk({ arcCount, idOf: (key) => idOfName('record', key), toEngine })
  }

  answered(reply: Extract<ToServices, { readonly kind: 'reply' }>): void {
    this.#desk.answered(reply)
  }

  /** @param ended  called once, unless no answer comes any more: whether the attempt has counted */
  count(attempt: string, number: number, ended: (hasCounted: boolean) => void): void {
    this.#try({ attempt, key: `counter/${number % COUNTERS}`, ended }, 1)
  }

  #try(counting: Counting, tries: number): void {
    const { attempt, key, ended } = counting
    const again = (): void => {
      if (tries === TRIES_MAX) return ended(false)
      this.#options.thread.after(PAUSE_MS * tries, () => this.#try(counting, tries + 1))
    }
    this.#call({ op: 'get', key }, (read) => {
      const before = read.ok ? read.record : null
      if (!read.ok && read.code !== 'record_not_found') return again()
      const value = [...attemptsIn(before?.value), attempt]
      const condition =
        before === null ? { ifAbsent: true as const } : { ifVersion: before.version }
      this.#options.observe({ kind: 'counting', attempt, key })
      this.#call({ op: 'put', key, value, condition }, (written) => {
        if (!written.ok) return again()
        this.#options.observe({ kind: 'counted', attempt, key })
        ended(true)
      })
    })
  }

  /** Answers come in a turn of their own. */
  #call(call: RecordCall, answer: (answer: RecordAnswer) => void): void {
    this.#desk.take(JSON.stringify(call), (given) => {
      this.#options.thread.after(0, () => answer(given))
    })
  }
}

interface Counting {
  readonly attempt: string
  readonly key: string
  readonly ended: (hasCounted: boolean) => void
}

export function attemptsIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
