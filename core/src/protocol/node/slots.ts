import { broken } from '../../base/assert.js'
import { Capacities, type Shortage } from './capacities.js'
import type { CapacityOffer, ResourceLoad } from './messages.js'

/**
 * Counts the free slots of the services thread: what this node may grant to the entries it proposes
 * (design §7, credits of one node). A slot is free, reserved by an entry that is on its way through
 * the log, or running.
 *
 * C1  per service and in all: reserved + running ≤ offered, unless the offer has shrunk since
 * C2  of each resource: what the reserved and the running take ≤ what there is, with the same reserve
 */
export class Slots {
  #offered: ReadonlyMap<string, number> = new Map()
  #total = 0
  readonly #used = new Map<string, number>()
  #usedTotal = 0
  readonly #capacities = new Capacities()

  /** Replaces the offer: a (re)started services thread says what it has. No services: no slots. */
  offer(slots: Readonly<Record<string, number>>, total: number, capacity?: CapacityOffer): void {
    this.#offered = new Map(Object.entries(slots))
    this.#total = total
    if (capacity !== undefined) this.#capacities.offer(capacity, this.#used)
  }

  get usedTotal(): number {
    return this.#usedTotal
  }

  /** Services that are offered, in name order. */
  services(): string[] {
    return [...this.#offered.keys()].sort()
  }

  /** Reserved and running attempts per service. */
  used(): ReadonlyMap<string, number> {
    return this.#used
  }

  /** What the node has of each resource, and what of it is taken. */
  resources(): Readonly<Record<string, ResourceLoad>> {
    return this.#capacities.loads()
  }

  /** Slots of a service, taken ones included. */
  granted(service: string): number {
    return this.#offered.get(service) ?? 0
  }

  free(service: string): number {
    const slots = this.#freeSlots(service)
    return slots === 0 ? 0 : Math.min(slots, this.#capacities.fits(service))
  }

  /** Why the service gets no slot now; null: it would. */
  shortage(service: string): Shortage | null {
    if (this.#freeSlots(service) === 0) return 'busy'
    return this.#capacities.shortage(service)
  }

  /**
   * Keeps room for one attempt of a service that has waited long for a resource which smaller
   * services take as soon as it is free; null: for none.
   */
  holdFor(service: string | null): void {
    this.#capacities.holdFor(service)
  }

  isHeldFor(service: string): boolean {
    return this.#capacities.held === service
  }

  /** Takes up to `wanted` slots. @returns how many it got, 0 … wanted */
  take(service: string, wanted: number): number {
    const count = Math.min(wanted, this.free(service))
    if (count > 0) {
      this.#used.set(service, (this.#used.get(service) ?? 0) + count)
      this.#usedTotal += count
      this.#capacities.use(service, count)
    }
    return count
  }

  giveBack(service: string, count: number): void {
    const used = (this.#used.get(service) ?? 0) - count
    if (used < 0 || count < 0) {
      broken(`C1: gives back ${count} slots of ${service}, more than it used`)
    }
    if (used === 0) this.#used.delete(service)
    else this.#used.set(service, used)
    this.#usedTotal -= count
    this.#capacities.use(service, -count)
  }

  #freeSlots(service: string): number {
    const ofService = (this.#offered.get(service) ?? 0) - (this.#used.get(service) ?? 0)
    return Math.max(0, Math.min(ofService, this.#total - this.#usedTotal))
  }
}
