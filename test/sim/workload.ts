import type { Prng } from '@gyre/core/internal/base/prng.js'
import type { Command } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { Query } from '@gyre/core/internal/protocol/ledger/query.js'
import { Client, type Intention } from './client.js'
import { JobMix } from './job-mix.js'
import type { Observation } from './observation.js'
import type { ClientOperation } from './operation.js'
import type { SimApi } from './sim-api.js'
import type { SimOptions } from './swarm.js'
import type { VirtualTime } from './virtual-time.js'

/** How long a client waits before it tries again, milliseconds. */
const RETRY_MS = 250

/** One intention under way: its tries, until its outcome is known. */
interface Errand {
  readonly client: Client
  readonly clientNumber: number
  readonly intention: Intention
  readonly number: number
  readonly onDone: () => void
}

/**
 * The clients of a run, on the far side of the node: they live through its crashes, treat a lost node
 * as "outcome unknown" and repeat what they may repeat.
 */
export class Workload {
  readonly #time: VirtualTime
  readonly #prng: Prng
  readonly #options: SimOptions
  readonly #api: () => SimApi | null
  readonly #observe: (observation: Observation) => void
  readonly #clients: Client[] = []
  /** Operations of the running life, to be told when it ends. */
  readonly #open = new Map<
    number,
    { readonly operation: ClientOperation; readonly errand: Errand }
  >()
  #wantsMore = true
  #errandCount = 0
  #lastOperation = 0
  #lastIntention = 0

  constructor(options: {
    readonly time: VirtualTime
    readonly prng: Prng
    readonly sim: SimOptions
    /** The API of the running node; null while it cannot be reached. */
    readonly api: () => SimApi | null
    readonly wallNow: () => number
    readonly observe: (observation: Observation) => void
  }) {
    this.#time = options.time
    this.#prng = options.prng
    this.#options = options.sim
    this.#api = options.api
    this.#observe = options.observe
    for (let number = 0; number < options.sim.clientCount; number += 1) {
      const prng = options.prng.fork(`client ${number}`)
      this.#clients.push(
        new Client(prng, options.sim, new JobMix(prng.fork('jobs'), options.sim), options.wallNow),
      )
    }
  }

  /** True when no client waits for anything and none will begin. */
  get isDone(): boolean {
    return !this.#wantsMore && this.#errandCount === 0
  }

  start(): void {
    for (const number of this.#clients.keys()) this.#thinkThenAct(number)
  }

  /** Nothing new from now on; what was begun is finished. */
  wantNoMore(): void {
    this.#wantsMore = false
  }

  /** The node is gone, and with it every answer that was due. */
  onLifeEnded(): void {
    const lost = [...this.#open.values()]
    this.#open.clear()
    for (const { operation, errand } of lost) this.#lose(operation, errand)
  }

  #lose(operation: ClientOperation, errand: Errand): void {
    this.#observe({ kind: 'unanswered', operation })
    if (errand.intention.isRepeatable) this.#tryLater(errand)
    else errand.onDone()
  }

  #loseAfterPatience(operation: ClientOperation, errand: Errand): void {
    const { patienceMs } = this.#options
    if (patienceMs === 0) return
    this.#time.after(patienceMs, () => {
      if (this.#open.delete(operation.number)) this.#lose(operation, errand)
    })
  }

  #thinkThenAct(number: number): void {
    this.#time.after(this.#prng.below(2 * this.#options.thinkMs + 1), () => {
      const client = this.#clients[number]
      if (!this.#wantsMore || client === undefined) return
      this.#act(number, client)
    })
  }

  #act(number: number, client: Client): void {
    const intentions = client.next()
    let left = intentions.length
    const onDone = (): void => {
      this.#errandCount -= 1
      left -= 1
      if (left === 0) this.#thinkThenAct(number)
    }
    this.#errandCount += intentions.length
    for (const intention of intentions) {
      this.#lastIntention += 1
      this.#try({ client, clientNumber: number, intention, number: this.#lastIntention, onDone })
    }
  }

  #tryLater(errand: Errand): void {
    this.#time.after(RETRY_MS + this.#prng.below(RETRY_MS), () => this.#try(errand))
  }

  #try(errand: Errand): void {
    const api = this.#api()
    if (api === null) return this.#tryLater(errand)
    const built = errand.intention.build()
    this.#lastOperation += 1
    const operation: ClientOperation = {
      number: this.#lastOperation,
      intention: errand.number,
      client: errand.clientNumber,
      arc: built.arc,
      work:
        'command' in built
          ? { kind: 'command', command: built.command, needs: built.needs }
          : { kind: 'query', query: built.query },
    }
    this.#open.set(operation.number, { operation, errand })
    this.#observe({ kind: 'invoked', operation })
    const command = 'command' in built ? built.command : null
    const query = 'query' in built ? built.query : null
    this.#loseAfterPatience(operation, errand)
    api.send(operation, (reply) => this.#onReply(operation, errand, { command, query, reply }))
  }

  #onReply(
    operation: ClientOperation,
    errand: Errand,
    answer: {
      readonly command: Command | null
      readonly query: Query | null
      readonly reply: Reply
    },
  ): void {
    // What comes too late is not heard any more.
    if (!this.#open.delete(operation.number)) return
    if (isUnknown(answer.reply)) return this.#lose(operation, errand)
    this.#observe({ kind: 'answered', operation, reply: answer.reply })
    if (wasRefusedForNow(answer.reply)) return this.#tryLater(errand)
    errand.client.learn(answer.command, answer.query, answer.reply)
    errand.onDone()
  }
}

function wasRefusedForNow(reply: Reply): boolean {
  return !reply.ok && ['not_ready', 'overloaded', 'arc_unavailable'].includes(reply.code)
}

function isUnknown(reply: Reply): boolean {
  return !reply.ok && reply.code === 'outcome_unknown'
}
