import type { ArcId, Duration, Instant, LogIndex } from '../../base/ids.js'
import type { Grant } from '../ledger/command.js'
import { PRIORITY_DEFAULT } from '../ledger/limits.js'
import { Demand, type DemandQueue, type Hunger } from './demand.js'
import { FAIRNESS_MS } from './limits.js'
import type { ReadyQueues } from './messages.js'
import type { Slots } from './slots.js'

/** Slots taken for one entry: all of them by service, and how many of those answer which demand. */
export interface Reservation {
  readonly counts: ReadonlyMap<string, number>
  readonly promised: ReadonlyMap<string, number>
}

interface Filling {
  readonly counts: Map<string, number>
  readonly promised: Map<string, number>
}

interface Carried {
  /** Slots not yet used by a dispatch. */
  readonly left: Map<string, number>
  readonly promised: ReadonlyMap<string, number>
}

/** Ready tasks of one queue in one arc. */
interface Waiting {
  readonly queue: DemandQueue
  readonly arc: ArcId
  readonly hunger: Hunger
}

/**
 * Decides which entry gets the free slots, so that starts ride on entries that are written anyway.
 *
 * A submission or completion takes along slots for the tasks that it makes ready itself, as long as
 * nothing waits that would go first. What waits is started by a `start` command: the best priority first; of equal
 * priority, services in turn; of one service roughly the oldest first, whatever arc it is in.
 *
 * G1  a reserved slot ends as a dispatch of its entry or is given back when the entry is applied
 * G2  no slot is given to demand while demand of a better priority, known here, could use it
 */
export class Grants {
  readonly #slots: Slots
  readonly #demand = new Demand()
  /** Per arc the reservations of unapplied entries, by index. */
  readonly #reserved = new Map<ArcId, Map<LogIndex, Carried>>()

  readonly #self: { readonly node: string; readonly boot: number }

  constructor(slots: Slots, self: { readonly node: string; readonly boot: number }) {
    this.#slots = slots
    this.#self = self
  }

  /** The grant as an entry carries it. */
  grantOf(reservation: Reservation): Grant {
    return { ...this.#self, slots: Object.fromEntries(reservation.counts) }
  }

  /** The ledger's queues of an arc, whole: what is not named has nothing ready. */
  setDemand(arc: ArcId, ready: ReadyQueues, mono: Instant): void {
    this.#demand.set(arc, ready, mono)
    // Room that was kept for a task that waits no more would keep the others waiting.
    this.#holdForStarved(mono)
  }

  /** Services of an arc's ready tasks that no slot is on its way to. */
  waitedForIn(arc: ArcId): Set<string> {
    return this.#demand.waitedForIn(arc)
  }

  /** Ready tasks per service that no slot is on its way to. */
  waiting(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { service, owed } of this.#demand.queues()) {
      if (owed > 0) counts.set(service, (counts.get(service) ?? 0) + owed)
    }
    return counts
  }

  /**
   * For how long the oldest task of each service has waited that no slot is on its way to, ms.
   *
   * @param waited  how long ago an instant of an arc's time was
   */
  oldest(waited: (arc: ArcId, since: Instant) => Duration): Map<string, Duration> {
    const ages = new Map<string, Duration>()
    for (const queue of this.#demand.queues()) {
      const arc = this.#demand.eldest(queue)
      const hunger = arc === undefined ? undefined : queue.waiting.get(arc)
      if (arc === undefined || hunger === undefined) continue
      const { service } = queue
      ages.set(service, Math.max(ages.get(service) ?? 0, waited(arc, hunger.readySince)))
    }
    return ages
  }

  /**
   * Reserves slots for an entry about to be proposed.
   *
   * @param fresh  services of tasks that the entry itself may make ready, with how many of each;
   *               their priority is not known here and taken for the default
   * @returns undefined when it gets none
   */
  reserve(fresh: ReadonlyMap<string, number>, mono: Instant): Reservation | undefined {
    this.#holdForStarved(mono)
    const reservation = { counts: new Map<string, number>(), promised: new Map<string, number>() }
    const first = this.#first()
    const least = first === undefined ? 0 : this.#leastPriority(first, mono)
    if (PRIORITY_DEFAULT >= least) {
      for (const [service, count] of fresh) {
        const left = this.#slots.free(service) - this.#owedBefore(service)
        if (left > 0) this.#take(reservation.counts, service, Math.min(count, left))
      }
    }
    return reservation.counts.size === 0 ? undefined : reservation
  }

  /** Notes which entry carries a reservation. */
  carriedBy(arc: ArcId, index: LogIndex, reservation: Reservation): void {
    const entries = this.#reserved.get(arc) ?? new Map<LogIndex, Carried>()
    const left = new Map(reservation.counts)
    entries.set(index, { left, promised: reservation.promised })
    this.#reserved.set(arc, entries)
  }

  /** A dispatch used one reserved slot of its entry. @returns false when it had none: a bug upstream */
  dispatched(arc: ArcId, index: LogIndex, service: string): boolean {
    const left = this.#reserved.get(arc)?.get(index)?.left
    const count = left?.get(service) ?? 0
    if (left === undefined || count === 0) return false
    left.set(service, count - 1)
    return true
  }

  /** Entries up to `index` are applied: what they did not use is free again (G1). */
  applied(arc: ArcId, index: LogIndex): void {
    const entries = this.#reserved.get(arc)
    if (entries === undefined) return
    for (const [at, carried] of entries) {
      if (at > index) break
      this.giveBack(arc, { counts: carried.left, promised: carried.promised })
      entries.delete(at)
    }
    if (entries.size === 0) this.#reserved.delete(arc)
  }

  /** A reservation that no entry will carry. */
  giveBack(arc: ArcId, { counts, promised }: Reservation): void {
    for (const [service, count] of counts) this.#slots.giveBack(service, count)
    for (const [name, count] of promised) this.#demand.unpromise(name, arc, count)
  }

  /** Arcs to give a `start` command now, with the reservation it carries; by priority, then roughly oldest first. */
  takeStarts(mono: Instant): { arc: ArcId; reservation: Reservation }[] {
    const starts = new Map<ArcId, Filling>()
    this.#holdForStarved(mono)
    for (;;) {
      const next = this.#first()
      if (next === undefined) break
      const reservation = starts.get(next.arc) ?? { counts: new Map(), promised: new Map() }
      this.#feed(next, reservation, mono)
      starts.set(next.arc, reservation)
    }
    return [...starts].map(([arc, reservation]) => ({ arc, reservation }))
  }

  /** True when `takeStarts` would find something. */
  get hasStarts(): boolean {
    return this.#first() !== undefined
  }

  /**
   * A service whose attempts take much of a resource would wait for ever beside small ones that take
   * each bit as it comes free: past FAIRNESS_MS room is kept for one of it, the longest waiting first,
   * unless tasks of a better priority wait for a resource as well: those go first in any case.
   */
  #holdForStarved(mono: Instant): void {
    // What is short only because room is kept is not short.
    this.#slots.holdFor(null)
    let starved: string | null = null
    let since = mono - FAIRNESS_MS
    let best: number | null = null
    for (const queue of this.#demand.queues()) {
      const { service, priority } = queue
      if (best !== null && priority < best) break
      const shortage = this.#slots.shortage(service)
      if (queue.owed === 0 || shortage === 'busy') continue
      best = priority
      if (shortage === null || queue.since >= since) continue
      starved = service
      since = queue.since
    }
    this.#slots.holdFor(starved)
  }

  /** Of the ready tasks that a slot is free for: best priority, then the service that is due, then the oldest. */
  #first(): Waiting | undefined {
    let first: Waiting | undefined
    for (const queue of this.#demand.queues()) {
      if (first !== undefined && queue.priority < first.queue.priority) break
      if (queue.owed === 0 || this.#slots.free(queue.service) === 0) continue
      if (first !== undefined && queue.since >= first.queue.since) continue
      const arc = this.#demand.eldest(queue)
      const hunger = arc === undefined ? undefined : queue.waiting.get(arc)
      if (arc !== undefined && hunger !== undefined) first = { queue, arc, hunger }
    }
    return first
  }

  /** Tasks of a service that would start before new work of the default priority. */
  #owedBefore(service: string): number {
    let count = 0
    for (const queue of this.#demand.queues()) {
      if (queue.priority < PRIORITY_DEFAULT) break
      if (queue.service === service) count += queue.owed
    }
    return count
  }

  /** No task of the service was given a slot for too long, though one waited. */
  #isOverdue({ queue }: Waiting, mono: Instant): boolean {
    return mono - queue.since > FAIRNESS_MS
  }

  /** What new work must come up to: among equals, the service that has waited too long goes first. */
  #leastPriority(first: Waiting, mono: Instant): number {
    return first.queue.priority + (this.#isOverdue(first, mono) ? 1 : 0)
  }

  /** Takes slots for ready tasks of an arc. */
  #feed({ queue, arc, hunger }: Waiting, reservation: Filling, mono: Instant): void {
    const { name, service } = queue
    const got = this.#take(reservation.counts, service, hunger.ready - hunger.promised)
    if (got === 0) return
    if (this.#slots.isHeldFor(service)) this.#slots.holdFor(null)
    reservation.promised.set(name, (reservation.promised.get(name) ?? 0) + got)
    this.#demand.promise(queue, arc, got, mono)
  }

  #take(counts: Map<string, number>, service: string, wanted: number): number {
    const got = this.#slots.take(service, wanted)
    if (got > 0) counts.set(service, (counts.get(service) ?? 0) + got)
    return got
  }
}
