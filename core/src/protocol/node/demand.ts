import type { ArcId, Instant } from '../../base/ids.js'
import { parseReadyName } from '../ledger/ready-name.js'

/** Ready tasks of one arc, by service and priority (ledger/ready-name.ts). */
export type ReadyCounts = Readonly<Record<string, number>>

/** Tasks of one service and priority that are ready in some arc. */
export interface DemandQueue {
  readonly name: string
  readonly service: string
  readonly priority: number
  /** Arcs that no slot is on its way to for some ready task; longest waiting first. */
  readonly waiting: ReadonlyMap<ArcId, Hunger>
}

export interface Hunger {
  /** Ready tasks that the ledger reported last. */
  readonly ready: number
  /** Slots reserved for them by entries that are not applied yet. */
  readonly promised: number
  /** Since when it has gone without a grant, monotonic milliseconds. */
  readonly since: Instant
}

type Change = { -readonly [Member in keyof Hunger]: Hunger[Member] }

interface Queue extends DemandQueue {
  readonly waiting: Map<ArcId, Change>
  /** Arcs with ready tasks or promises: also those that wait for nothing more. */
  readonly known: Map<ArcId, Change>
}

/**
 * What the ledgers of all arcs have ready and which part of it is promised a slot: the demand that
 * `grants.ts` answers. An arc stands in `waiting` exactly while it has more ready than promised, so
 * that the next one is found without looking at those that are served, however many arcs there are.
 */
export class Demand {
  readonly #queues = new Map<string, Queue>()
  /** Best priority first, then by service; made anew when a queue comes or goes. */
  #sorted: readonly Queue[] | null = null
  /** Per arc the queues that know it: what a new count of that arc has to look at. */
  readonly #ofArc = new Map<ArcId, Set<string>>()

  queues(): readonly DemandQueue[] {
    this.#sorted ??= [...this.#queues.values()].sort(byPriority)
    return this.#sorted
  }

  waitedForIn(arc: ArcId): Set<string> {
    const services = new Set<string>()
    for (const name of this.#ofArc.get(arc) ?? []) {
      const queue = this.#queues.get(name)
      if (queue?.waiting.has(arc) === true) services.add(queue.service)
    }
    return services
  }

  /** The ledger's count of an arc, whole: what is not named has none. */
  set(arc: ArcId, ready: ReadyCounts, mono: Instant): void {
    for (const name of [...(this.#ofArc.get(arc) ?? [])]) {
      if (!Object.hasOwn(ready, name)) this.#change(name, arc, { ready: 0 })
    }
    for (const [name, count] of Object.entries(ready)) {
      const hunger = this.#queues.get(name)?.known.get(arc)
      if (hunger !== undefined) this.#change(name, arc, { ready: count })
      else if (count > 0) this.#add(name, arc, { ready: count, promised: 0, since: mono })
    }
  }

  /** Slots are on their way to the arc, which stands behind all others then. */
  promise(
    { name }: DemandQueue,
    arc: ArcId,
    given: { readonly count: number; readonly mono: Instant },
  ): void {
    const queue = this.#queues.get(name)
    const hunger = queue?.known.get(arc)
    if (queue === undefined || hunger === undefined) return
    queue.waiting.delete(arc)
    this.#change(name, arc, { promised: hunger.promised + given.count, since: given.mono })
  }

  /** The entry that carried them is applied. */
  unpromise(name: string, arc: ArcId, count: number): void {
    const hunger = this.#queues.get(name)?.known.get(arc)
    if (hunger !== undefined) this.#change(name, arc, { promised: hunger.promised - count })
  }

  #change(name: string, arc: ArcId, changes: Partial<Hunger>): void {
    const queue = this.#queues.get(name)
    const hunger = queue?.known.get(arc)
    if (queue === undefined || hunger === undefined) return
    Object.assign(hunger, changes)
    if (hunger.ready > hunger.promised) {
      if (!queue.waiting.has(arc)) queue.waiting.set(arc, hunger)
      return
    }
    queue.waiting.delete(arc)
    if (hunger.ready + hunger.promised === 0) this.#forget(queue, arc)
  }

  #add(name: string, arc: ArcId, hunger: Change): void {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = { name, ...parseReadyName(name), waiting: new Map(), known: new Map() }
      this.#queues.set(name, queue)
      this.#sorted = null
    }
    queue.known.set(arc, hunger)
    queue.waiting.set(arc, hunger)
    const names = this.#ofArc.get(arc) ?? new Set<string>()
    this.#ofArc.set(arc, names.add(name))
  }

  #forget(queue: Queue, arc: ArcId): void {
    queue.known.delete(arc)
    this.#ofArc.get(arc)?.delete(queue.name)
    if (queue.known.size > 0) return
    this.#queues.delete(queue.name)
    this.#sorted = null
  }
}

function byPriority(a: Queue, b: Queue): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  return a.name < b.name ? -1 : 1
}
