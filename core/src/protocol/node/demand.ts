import type { ArcId, Instant } from '../../base/ids.js'
import { parseReadyName } from '../ledger/ready-name.js'
import type { ReadyQueues } from './messages.js'

/** Tasks of one service and priority that are ready in some arc. */
export interface DemandQueue {
  readonly name: string
  readonly service: string
  readonly priority: number
  /** Since when none of them was given a slot although one waited, monotonic milliseconds. */
  readonly since: Instant
  /** Ready tasks of all arcs that no slot is on its way to. */
  readonly owed: number
  /** Arcs that have some of those; longest without a slot first. */
  readonly waiting: ReadonlyMap<ArcId, Hunger>
}

export interface Hunger {
  /** Ready tasks that the ledger reported last. */
  readonly ready: number
  /** Since when the first of them has been ready, arc time. */
  readonly readySince: Instant
  /** Slots reserved for them by entries that are not applied yet. */
  readonly promised: number
}

type Change = { -readonly [Member in keyof Hunger]: Hunger[Member] }

interface Queue extends DemandQueue {
  since: Instant
  owed: number
  readonly waiting: Map<ArcId, Change>
  /** Arcs with ready tasks or promises: also those that wait for nothing more. */
  readonly known: Map<ArcId, Change>
  /** Found by the last look, while it still holds. */
  eldest: ArcId | null
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
  /** The newest instant that was told. */
  #mono: Instant = 0

  /** Best priority first, then by service. */
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

  /**
   * The waiting arc whose first task has been ready for longest; among equals the one that has gone
   * without a slot for longest. Arcs tell by their own clocks, which follow the wall clock: where one
   * is ahead, its tasks wait by as much longer.
   */
  eldest(queue: DemandQueue): ArcId | undefined {
    const { name, waiting } = queue
    const own = this.#queues.get(name)
    if (own === undefined) return undefined
    if (own.eldest === null) {
      let best = Number.POSITIVE_INFINITY
      for (const [arc, { readySince }] of waiting) {
        if (readySince >= best) continue
        best = readySince
        own.eldest = arc
      }
    }
    return own.eldest ?? undefined
  }

  /** The ledger's queues of an arc, whole: what is not named has nothing ready. */
  set(arc: ArcId, ready: ReadyQueues, mono: Instant): void {
    this.#mono = mono
    for (const name of [...(this.#ofArc.get(arc) ?? [])]) {
      if (!Object.hasOwn(ready, name)) this.#change(name, arc, { ready: 0 })
    }
    for (const [name, { count, since }] of Object.entries(ready)) {
      const isKnown = this.#queues.get(name)?.known.has(arc) === true
      if (!isKnown && count > 0) this.#add(name, arc)
      this.#change(name, arc, { ready: count, readySince: since })
    }
  }

  /** Slots are on their way to the arc, which stands behind its equals then. */
  promise({ name }: DemandQueue, arc: ArcId, count: number, mono: Instant): void {
    this.#mono = mono
    const queue = this.#queues.get(name)
    const hunger = queue?.known.get(arc)
    if (queue === undefined || hunger === undefined) return
    queue.since = mono
    this.#change(name, arc, { promised: hunger.promised + count })
    if (queue.waiting.delete(arc)) queue.waiting.set(arc, hunger)
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
    queue.owed -= owedTo(hunger)
    Object.assign(hunger, changes)
    queue.owed += owedTo(hunger)
    this.#place(queue, arc, hunger)
    if (hunger.ready + hunger.promised === 0) this.#forget(queue, arc)
  }

  #place(queue: Queue, arc: ArcId, hunger: Change): void {
    const { waiting, eldest } = queue
    const known = eldest === null ? undefined : waiting.get(eldest)
    // The next look finds the eldest anew where this change may have made it another.
    if (eldest === arc || (known !== undefined && hunger.readySince < known.readySince)) {
      queue.eldest = null
    }
    if (owedTo(hunger) === 0) waiting.delete(arc)
    else if (!waiting.has(arc)) {
      if (waiting.size === 0) {
        queue.since = this.#mono
        queue.eldest = null
      }
      waiting.set(arc, hunger)
    }
  }

  #add(name: string, arc: ArcId): void {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = {
        name,
        ...parseReadyName(name),
        since: this.#mono,
        owed: 0,
        waiting: new Map(),
        known: new Map(),
        eldest: null,
      }
      this.#queues.set(name, queue)
      this.#sorted = null
    }
    queue.known.set(arc, { ready: 0, readySince: 0, promised: 0 })
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

function owedTo({ ready, promised }: Hunger): number {
  return Math.max(0, ready - promised)
}
