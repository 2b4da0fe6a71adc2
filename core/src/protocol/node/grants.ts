import type { ArcId, Instant, LogIndex } from '../../base/ids.js'
import type { Grant } from '../ledger/command.js'
import { FAIRNESS_MS } from './limits.js'
import type { Slots } from './slots.js'

/** Slots per service, as an entry's grant carries them. */
export type SlotCounts = Readonly<Record<string, number>>

/** Slots taken for one entry: all of them, and how many of those answer reported demand. */
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

/** Ready tasks of one service in one arc. */
interface Waiting {
  readonly service: string
  readonly arc: ArcId
  readonly hunger: Hunger
}

interface Hunger {
  /** Ready tasks that the ledger reported last. */
  ready: number
  /** Slots reserved for this arc by entries that are not applied yet. */
  promised: number
  /** Since when it has gone without a grant, monotonic milliseconds. */
  since: Instant
}

/**
 * Decides which entry gets the free slots, so that starts ride on entries that are written anyway.
 *
 * A freed slot goes by preference to the arc whose entry freed it (no commit of its own), unless
 * tasks of another arc or service that it would serve too have waited longer than FAIRNESS_MS: then
 * to those, by a `start` command.
 *
 * G1  a reserved slot ends as a dispatch of its entry or is given back when the entry is applied
 */
export class Grants {
  readonly #slots: Slots
  /** Per service the arcs with ready tasks, longest waiting first (a Map keeps that order). */
  readonly #hungry = new Map<string, Map<ArcId, Hunger>>()
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

  /** The ledger's count of ready tasks of an arc, whole: services not named have none. */
  setDemand(arc: ArcId, ready: SlotCounts, mono: Instant): void {
    for (const arcs of this.#hungry.values()) {
      const hunger = arcs.get(arc)
      if (hunger !== undefined) hunger.ready = 0
    }
    for (const [service, count] of Object.entries(ready)) {
      if (count > 0) this.#hungerOf(service, arc, mono).ready = count
    }
    for (const arcs of this.#hungry.values()) {
      const hunger = arcs.get(arc)
      if (hunger !== undefined && hunger.ready + hunger.promised === 0) arcs.delete(arc)
    }
  }

  /**
   * Reserves slots for an entry about to be proposed.
   *
   * @param fresh  services of tasks that the entry itself may make ready, with how many of each
   * @returns undefined when it gets none
   */
  reserve(arc: ArcId, fresh: ReadonlyMap<string, number>, mono: Instant): Reservation | undefined {
    const first = this.#longestWaiting()
    const isOverdue = first !== undefined && mono - first.hunger.since > FAIRNESS_MS
    if (isOverdue && first.arc !== arc) return undefined
    const reservation = { counts: new Map<string, number>(), promised: new Map<string, number>() }
    if (isOverdue) this.#feed(first, reservation, mono)
    for (const [service, count] of fresh) this.#take(reservation.counts, service, count)
    for (const [service, arcs] of this.#hungry) {
      const hunger = arcs.get(arc)
      if (hunger !== undefined) this.#feed({ service, arc, hunger }, reservation, mono)
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
      for (const [service, count] of carried.left) this.#slots.giveBack(service, count)
      for (const [service, count] of carried.promised) {
        const arcs = this.#hungry.get(service)
        const hunger = arcs?.get(arc)
        if (hunger === undefined) continue
        hunger.promised -= count
        if (hunger.ready + hunger.promised === 0) arcs?.delete(arc)
      }
      entries.delete(at)
    }
    if (entries.size === 0) this.#reserved.delete(arc)
  }

  /** Arcs to give a `start` command now, with the reservation it carries; longest waiting first. */
  takeStarts(mono: Instant): { arc: ArcId; reservation: Reservation }[] {
    const starts = new Map<ArcId, Filling>()
    for (;;) {
      const next = this.#longestWaiting()
      if (next === undefined) break
      const reservation = starts.get(next.arc) ?? { counts: new Map(), promised: new Map() }
      this.#feed(next, reservation, mono)
      starts.set(next.arc, reservation)
    }
    return [...starts].map(([arc, reservation]) => ({ arc, reservation }))
  }

  /** True when `takeStarts` would find something. */
  get hasStarts(): boolean {
    return this.#longestWaiting() !== undefined
  }

  /** Of the ready tasks that a slot is free for, those that have gone without a grant the longest. */
  #longestWaiting(): Waiting | undefined {
    let longest: Waiting | undefined
    for (const [service, arcs] of this.#hungry) {
      if (this.#slots.free(service) === 0) continue
      for (const [arc, hunger] of arcs) {
        if (hunger.ready <= hunger.promised) continue
        if (longest === undefined || hunger.since < longest.hunger.since) {
          longest = { service, arc, hunger }
        }
        break
      }
    }
    return longest
  }

  /** Takes slots for ready tasks of an arc, which then stands behind all others. */
  #feed({ service, arc, hunger }: Waiting, reservation: Filling, mono: Instant): void {
    const wanted = hunger.ready - hunger.promised
    const got = wanted <= 0 ? 0 : this.#take(reservation.counts, service, wanted)
    if (got === 0) return
    reservation.promised.set(service, (reservation.promised.get(service) ?? 0) + got)
    hunger.promised += got
    hunger.since = mono
    const arcs = this.#hungry.get(service)
    arcs?.delete(arc)
    arcs?.set(arc, hunger)
  }

  #take(counts: Map<string, number>, service: string, wanted: number): number {
    const got = this.#slots.take(service, wanted)
    if (got > 0) counts.set(service, (counts.get(service) ?? 0) + got)
    return got
  }

  #hungerOf(service: string, arc: ArcId, mono: Instant): Hunger {
    const arcs = this.#hungry.get(service) ?? new Map<ArcId, Hunger>()
    const hunger = arcs.get(arc) ?? { ready: 0, promised: 0, since: mono }
    arcs.set(arc, hunger)
    this.#hungry.set(service, arcs)
    return hunger
  }
}
