import type { Link } from '@gyre/core/internal/ports/link.js'
import type { FromApi, ToApi } from '@gyre/core/internal/protocol/node/messages.js'
import type { EngineStatus } from '@gyre/core/internal/protocol/node/messages.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { ClientOperation } from './operation.js'
import type { SimThread } from './sim-thread.js'

/** What the simulated API thread hears of the node as a whole. */
export interface ApiEvents {
  onServing(): void
  onStopped(): void
  onFatal(code: string, message: string): void
  /** It says that its disk stands still, or no more. */
  onStall(code: string, isOver: boolean): void
  /** It says that an arc of it is damaged, and stands still. */
  onArcDamaged(message: string): void
  /** It says that something in its log has rotted. */
  onLogRot(message: string): void
  /** An answer came that no open request is waiting for. */
  onUnasked(request: number): void
}

/**
 * The API thread of one process life: carries clients' operations over the real messages, without
 * HTTP. When the process ends, whatever is open stays without an answer.
 */
export class SimApi {
  readonly #thread: SimThread
  readonly #link: Link<FromApi, ToApi>
  readonly #events: ApiEvents
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #statusTakers = new Map<number, (status: EngineStatus) => void>()
  #lastRequest = 0
  #isServing = false

  constructor(thread: SimThread, link: Link<FromApi, ToApi>, events: ApiEvents) {
    this.#thread = thread
    this.#link = link
    this.#events = events
  }

  get isServing(): boolean {
    return this.#isServing
  }

  start(): void {
    this.#link.onReceive((messages) => {
      for (const message of messages) this.#onMessage(message)
    })
  }

  send(operation: ClientOperation, take: (reply: Reply) => void): void {
    const { arc, work } = operation
    const request = this.#expect(take)
    if (work.kind === 'query') {
      this.#send({ kind: 'query', request, arc, body: JSON.stringify(work.query) })
      return
    }
    const { command, needs } = work
    const sheddable = command.kind === 'submit' || command.kind === 'resubmit'
    this.#send({ kind: 'propose', request, arc, needs, sheddable, body: JSON.stringify(command) })
  }

  /** A question of the simulation itself, not of a client. While the node refuses reads it has no answer. */
  ask(arc: number, body: string, take: (reply: Reply) => void): void {
    const request = this.#expect((reply) => {
      if (reply.ok || !['arc_unavailable', 'not_ready'].includes(reply.code)) take(reply)
    })
    this.#send({ kind: 'query', request, arc, body })
  }

  askStatus(take: (status: EngineStatus) => void): void {
    this.#lastRequest += 1
    this.#statusTakers.set(this.#lastRequest, take)
    this.#send({ kind: 'status', request: this.#lastRequest })
  }

  stop(): void {
    this.#isServing = false
    this.#send({ kind: 'stop' })
  }

  /** In a turn of its own: whoever asks stands outside the process. */
  #send(message: FromApi): void {
    this.#thread.after(0, () => this.#link.send(message))
  }

  #expect(take: (reply: Reply) => void): number {
    this.#lastRequest += 1
    this.#waiting.set(this.#lastRequest, take)
    return this.#lastRequest
  }

  #onMessage(message: ToApi): void {
    switch (message.kind) {
      case 'reply':
        return this.#onReply(message)
      case 'status':
        return this.#onStatus(message.request, JSON.parse(message.body))
      case 'offers':
        return
      case 'stopped':
        return this.#events.onStopped()
      case 'alarm':
        if (message.code.endsWith('_stalled')) return this.#events.onStall(message.code, false)
        if (message.code === 'arc_damaged') return this.#events.onArcDamaged(message.message)
        if (message.code.startsWith('log_segment_')) return this.#events.onLogRot(message.message)
        throw new Error(`${message.code}: ${message.message}`)
      case 'alarm-over':
        return this.#events.onStall(message.code, true)
      case 'fatal':
        return this.#events.onFatal(message.code, message.message)
    }
  }

  #onReply(message: Extract<ToApi, { readonly kind: 'reply' }>): void {
    const { request, reply, body } = message
    const take = this.#waiting.get(request)
    if (take === undefined) return this.#events.onUnasked(request)
    this.#waiting.delete(request)
    take(reply.ok && body !== undefined ? { ...reply, body } : reply)
  }

  #onStatus(request: number, status: EngineStatus): void {
    this.#statusTakers.get(request)?.(status)
    this.#statusTakers.delete(request)
    if (request !== 0 || !status.serving || this.#isServing) return
    this.#isServing = true
    this.#events.onServing()
  }
}
