import { assert } from '../base/assert.js'
import { type ArcId, arcOf, type Instant } from '../base/ids.js'
import type { Clock } from '../ports/clock.js'
import type { Link } from '../ports/link.js'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { Query } from '../protocol/ledger/query.js'
import type { EngineStatus, FromApi, OffersBody, ToApi } from '../protocol/node/messages.js'
import type { EventPage, NodeClient, NodeIdentity, Proposal, Watch } from './node-client.js'
import { Turns } from './turns.js'

/** How long an answer may take, ms, before the outcome counts as unknown. Watches have no bound. */
const ANSWER_TIMEOUT_MS = 30_000

/**
 * Reads that are on their way at a time; the others wait here, as requests and not as answers: each
 * answer may have megabytes, and is there several times on its way. Less: a slow read holds up others.
 * More: clients that ask for pages of 2 MiB and do not read them cost 700 MiB at 16, 500 at 8; the
 * ledger answers one at a time in any case.
 */
const READS_MAX = 8

/** What happens to the node as a whole. */
export interface NodeEvents {
  /** The node answers requests now. */
  onServing(): void
  onOffers(offers: OffersBody): void
  /** The graceful stop is complete. */
  onStopped(): void
  /** Something stands still and an operator must act; the node goes on. */
  onAlarm(code: string, message: string): void
  /** It has ended by itself. */
  onAlarmOver(code: string, message: string): void
  /** The node cannot go on. */
  onFatal(code: string, message: string): void
}

interface Waiting {
  /** Monotonic instant after which the outcome is unknown; null: waits for ever. */
  readonly until: Instant | null
  /** The answer when the node has stopped before it came; absent: the engine still gives one. */
  readonly late?: Reply
  /** @returns true when no more replies are expected */
  take(reply: Reply): boolean
  takeStatus?(status: EngineStatus): void
}

export interface EngineClientOptions {
  readonly identity: NodeIdentity
  readonly link: Link<FromApi, ToApi>
  readonly clock: Clock
  readonly events: NodeEvents
}

/** The API thread's end of the link to the engine: turns messages into promises. */
export class EngineClient implements NodeClient {
  readonly identity: NodeIdentity
  readonly #link: Link<FromApi, ToApi>
  readonly #clock: Clock
  readonly #events: NodeEvents
  readonly #waiting = new Map<number, Waiting>()
  readonly #reads = new Turns(READS_MAX)
  #offers: OffersBody = { services: [], jobs: [], failures: [] }
  #lastRequest = 0
  #sweepIsSet = false
  #stopped = false

  constructor(options: EngineClientOptions) {
    this.identity = options.identity
    this.#link = options.link
    this.#clock = options.clock
    this.#events = options.events
  }

  start(): void {
    this.#link.onReceive((messages) => {
      for (const message of messages) this.#onMessage(message)
    })
  }

  get offers(): OffersBody {
    return this.#offers
  }

  propose(proposal: Proposal): Promise<Reply> {
    return new Promise((resolve) => {
      const request = this.#expectOne(resolve, OUTCOME_UNKNOWN)
      this.#link.send({
        kind: 'propose',
        request,
        arc: proposal.arc,
        needs: proposal.needs ?? [],
        sheddable: proposal.sheddable ?? false,
        body: JSON.stringify(proposal.command),
      })
    })
  }

  query(arc: ArcId, query: Query): Promise<Reply> {
    return this.#reads.run(() => this.#ask(arc, query))
  }

  queryAll(query: Query): Promise<Reply> {
    return this.#reads.run(() => this.#ask(null, query))
  }

  watchJob(id: string): Watch {
    return this.#watch(id, { kind: 'watch-job', id })
  }

  followJob(id: string, page: EventPage): Watch {
    return this.#watch(id, { kind: 'follow-job', id, ...page })
  }

  #watch(id: string, query: Query): Watch {
    const arc = arcOf(id, this.identity.arcCount)
    let request = 0
    const reply = new Promise<Reply>((resolve) => {
      const take = (answer: Reply): boolean => {
        resolve(answer)
        return true
      }
      request = this.#expect({ until: null, take })
      this.#link.send({ kind: 'query', request, arc, body: JSON.stringify(query) })
    })
    const cancel = (): void => {
      if (this.#waiting.delete(request)) this.#link.send({ kind: 'unwatch', request, arc })
    }
    return { reply, cancel }
  }

  status(): Promise<EngineStatus> {
    return new Promise((resolve) => {
      const request = this.#expect({ until: null, take: () => true, takeStatus: resolve })
      this.#link.send({ kind: 'status', request })
    })
  }

  /** Asks the node to stop gracefully; `onStopped` follows. */
  stop(): void {
    this.#link.send({ kind: 'stop' })
  }

  #ask(arc: ArcId | null, query: Query): Promise<Reply> {
    if (this.#stopped) return Promise.resolve(NOT_READY)
    return new Promise((resolve) => {
      const request = this.#expectOne(resolve, NOT_READY)
      this.#link.send({ kind: 'query', request, arc, body: JSON.stringify(query) })
    })
  }

  #onMessage(message: ToApi): void {
    switch (message.kind) {
      case 'reply': {
        const { reply, body } = message
        return this.#onReply(
          message.request,
          reply.ok && body !== undefined ? { ...reply, body } : reply,
        )
      }
      case 'status':
        return this.#onStatus(message.request, JSON.parse(message.body))
      case 'offers':
        this.#offers = JSON.parse(message.body)
        return this.#events.onOffers(this.#offers)
      case 'stopped':
        this.#becomeStopped()
        return this.#events.onStopped()
      case 'alarm':
        return this.#events.onAlarm(message.code, message.message)
      case 'alarm-over':
        return this.#events.onAlarmOver(message.code, message.message)
      case 'fatal':
        return this.#events.onFatal(message.code, message.message)
    }
  }

  /** Nobody reads or writes the state any more; what was asked too late has its answer here. */
  #becomeStopped(): void {
    this.#stopped = true
    for (const [request, waiting] of [...this.#waiting]) {
      if (waiting.late === undefined) continue
      this.#waiting.delete(request)
      waiting.take(waiting.late)
    }
  }

  #onReply(request: number, reply: Reply): void {
    const waiting = this.#waiting.get(request)
    if (waiting?.take(reply) === true) this.#waiting.delete(request)
  }

  #onStatus(request: number, status: EngineStatus): void {
    const waiting = this.#waiting.get(request)
    this.#waiting.delete(request)
    waiting?.takeStatus?.(status)
    if (request === 0 && status.serving) this.#events.onServing()
  }

  #expectOne(resolve: (reply: Reply) => void, late: Reply): number {
    const until = this.#clock.now().mono + ANSWER_TIMEOUT_MS
    const take = (reply: Reply): boolean => {
      resolve(reply)
      return true
    }
    return this.#expect({ until, late, take })
  }

  #expect(waiting: Waiting): number {
    this.#lastRequest += 1
    assert(this.#lastRequest < Number.MAX_SAFE_INTEGER, 'request IDs ran out')
    this.#waiting.set(this.#lastRequest, waiting)
    this.#setSweep()
    return this.#lastRequest
  }

  /** One alarm for all requests: those that waited too long get `outcome_unknown`. */
  #setSweep(): void {
    if (this.#sweepIsSet || this.#waiting.size === 0) return
    this.#sweepIsSet = true
    this.#clock.alarm(ANSWER_TIMEOUT_MS / 10, () => {
      this.#sweepIsSet = false
      const now = this.#clock.now().mono
      for (const [request, waiting] of this.#waiting) {
        if (waiting.until === null || waiting.until > now) continue
        this.#waiting.delete(request)
        while (!waiting.take(OUTCOME_UNKNOWN)) continue
      }
      this.#setSweep()
    })
  }
}

const NOT_READY: Reply = {
  ok: false,
  code: 'not_ready',
  message: 'the node has stopped; ask another node',
}

const OUTCOME_UNKNOWN: Reply = {
  ok: false,
  code: 'outcome_unknown',
  message:
    'the node could not find out in time whether this was done; repeating it with the same ' +
    'Idempotency-Key is safe',
}
