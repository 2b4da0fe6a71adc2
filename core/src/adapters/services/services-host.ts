import { ACTIONS_SERVICE } from '../../base/own-services.js'
import type { Clock } from '../../ports/clock.js'
import type { WorkerHost } from '../../ports/worker-host.js'
import type {
  Dispatch,
  FromServices,
  OffersBody,
  ToServices,
} from '../../protocol/node/messages.js'
import { ACTIONS_SLOTS, ActionsDesk } from './actions-desk.js'
import { type Capacity, capacityOffer, measuredCapacity, threadCountOf } from './capacity.js'
import { RecordDesk, type RecordDeskOptions } from './record-desk.js'
import { refusalsOf } from './refusals.js'
import { ServicesSupervisor, type SupervisorOptions } from './supervisor.js'
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.js'

export interface ServicesHostOptions {
  /** What the node's owner says it has; what is not named is measured, units are 0. */
  readonly capacity?: Capacity
  /** As its owner has labelled it. */
  readonly labels?: Readonly<Record<string, string>>
  readonly supervisor: SupervisorOptions
  /** The ring, as far as handlers' records need it. */
  readonly records: Pick<RecordDeskOptions, 'arcCount' | 'idOf'>
  readonly pool?: Partial<ThreadPoolOptions>
}

/**
 * Where the attempts of this node run: on the event loop that services share (supervisor.ts), or in
 * a thread of their own (thread-pool.ts). It sends each to its place, and tells the engine what the node
 * has room for and which services can never fit.
 */
export class ServicesHost implements WorkerHost {
  readonly #clock: Clock
  readonly #supervisor: ServicesSupervisor
  readonly #pool: ThreadPool
  readonly #capacity: Capacity
  readonly #labels: Readonly<Record<string, string>>
  readonly #threads: number
  /** Services with a thread of their own. */
  #isolated: ReadonlySet<string> = new Set()
  /** What an attempt takes, MiB, of the services that say so. */
  #memoryMb: ReadonlyMap<string, number> = new Map()
  #receive: (messages: readonly FromServices[]) => void = () => {}
  #outputs: FromServices[] = []
  readonly #desk: RecordDesk
  readonly #actions: ActionsDesk

  constructor({ capacity, labels, supervisor, pool, records }: ServicesHostOptions) {
    this.#labels = labels ?? {}
    this.#desk = new RecordDesk({ ...records, toEngine: (message) => this.#output(message) })
    const { arcCount } = records
    const toEngine = (message: FromServices): void => this.#output(message)
    this.#actions = new ActionsDesk({ clock: supervisor.clock, arcCount, toEngine })
    const onCall = (body: string, answer: (body: string) => void): void =>
      this.#desk.take(body, (given) => answer(JSON.stringify(given)))
    const shared = supervisor.settings === undefined ? {} : { settings: supervisor.settings }
    this.#clock = supervisor.clock
    this.#capacity = { ...measuredCapacity(), ...capacity }
    this.#threads = threadCountOf(this.#capacity)
    this.#supervisor = new ServicesSupervisor({
      ...supervisor,
      onCall,
      onIsolated: (isolated) => {
        this.#isolated = new Set(Object.keys(isolated))
        this.#pool.setModules([...new Set(Object.values(isolated))].sort())
      },
    })
    this.#pool = new ThreadPool({
      clock: supervisor.clock,
      log: supervisor.log,
      ...shared,
      onCall,
      size: this.#threads,
      ended: (attempt, body, news) => this.#output({ kind: 'ended', attempt, body, ...news }),
      noted: (message) => this.#output(message),
      ...pool,
    })
  }

  onReceive(receive: (messages: readonly FromServices[]) => void): void {
    this.#receive = receive
    this.#supervisor.onReceive((messages) => receive(messages.map((m) => this.#withRoom(m))))
  }

  start(): void {
    this.#supervisor.start()
  }

  send(message: ToServices): void {
    if (message.kind === 'dispatch') return this.#dispatch(message)
    if (message.kind === 'reply') {
      if (!this.#actions.answered(message)) this.#desk.answered(message)
      return
    }
    const { attempt, reason } = message
    if (this.#actions.has(attempt)) this.#actions.abort(attempt, reason)
    else if (this.#pool.has(attempt)) this.#pool.abort(attempt, reason)
    else this.#supervisor.send(message)
  }

  stop(done: () => void): void {
    let left = 3
    const one = (): void => {
      left -= 1
      if (left === 0) done()
    }
    this.#actions.stop(one)
    this.#supervisor.stop(one)
    this.#pool.stop(one)
  }

  /** While the services thread is down nobody knows which services there are: it says no to all. */
  #dispatch(dispatch: Dispatch): void {
    const { service } = dispatch
    if (service === ACTIONS_SERVICE && this.#supervisor.isUp) return this.#actions.run(dispatch)
    const isIsolated = this.#isolated.has(service) && this.#supervisor.isUp
    if (!isIsolated || this.#pool.has(dispatch.attempt)) this.#supervisor.send(dispatch)
    else this.#pool.run(dispatch, this.#memoryMb.get(dispatch.service))
  }

  /** What never fits is offered with no slots, and said to be refused. */
  #withRoom(message: FromServices): FromServices {
    if (message.kind !== 'offers') return message
    const offers: OffersBody = JSON.parse(message.body)
    const traits = { capacity: this.#capacity, labels: this.#labels }
    const refused = refusalsOf(traits, offers.services)
    const slots = Object.fromEntries(
      Object.entries(message.slots).filter(([service]) => !Object.hasOwn(refused, service)),
    )
    this.#memoryMb = new Map(
      offers.services.flatMap(({ name, requires }) =>
        requires?.memoryMb === undefined ? [] : [[name, requires.memoryMb] as const],
      ),
    )
    const capacity = capacityOffer(this.#capacity, this.#threads, offers.services)
    return {
      ...message,
      slots: { ...slots, [ACTIONS_SERVICE]: ACTIONS_SLOTS },
      capacity,
      body: JSON.stringify({ ...offers, refused }),
    }
  }

  /** Collected for the rest of the turn (port promise W4). */
  #output(message: FromServices): void {
    this.#outputs.push(message)
    if (this.#outputs.length > 1) return
    this.#clock.soon(() => {
      const outputs = this.#outputs
      this.#outputs = []
      this.#receive(outputs)
    })
  }
}
