import type { CapacityOffer, ResourceLoad } from './messages.js'

const THOUSANDTHS = 1000

/** What a service waits for: a slot, or a resource of the node. */
export type Shortage = 'busy' | 'cpu' | 'memory' | 'units'

/**
 * Counts the node's resources (cores, memory, units of any name) in whole thousandths: what there is,
 * and what the reserved and running attempts take of it.
 *
 * A resource that no service was said to take is never short. When the offer changes while attempts
 * run, they count by the new one: a plugin's requirements change only with its code.
 */
export class Capacities {
  #has: ReadonlyMap<string, number> = new Map()
  /** Per service what one attempt takes; only amounts > 0. */
  #takes: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map()
  #used = new Map<string, number>()
  #held: string | null = null

  offer({ has, takes }: CapacityOffer, running: ReadonlyMap<string, number>): void {
    this.#has = new Map(Object.entries(has))
    this.#takes = new Map(
      Object.entries(takes).map(([service, amounts]) => [
        service,
        new Map(Object.entries(amounts).filter(([, amount]) => amount > 0)),
      ]),
    )
    this.#used = new Map()
    this.#held = null
    for (const [service, count] of running) this.use(service, count)
  }

  /** Counts `count` more attempts of a service; less, if negative. */
  use(service: string, count: number): void {
    for (const [unit, amount] of this.#takesOf(service)) {
      this.#used.set(unit, (this.#used.get(unit) ?? 0) + count * amount)
    }
  }

  /** By unit, what pools of threads take left out. */
  loads(): Readonly<Record<string, ResourceLoad>> {
    const units = [...this.#has].filter(([unit]) => !unit.startsWith('#'))
    return Object.fromEntries(
      units.map(([unit, has]) => [
        unit,
        { has: has / THOUSANDTHS, used: (this.#used.get(unit) ?? 0) / THOUSANDTHS },
      ]),
    )
  }

  holdFor(service: string | null): void {
    this.#held = service
  }

  get held(): string | null {
    return this.#held
  }

  /** How many more attempts of a service there is room for; infinite: it takes nothing. */
  fits(service: string): number {
    let fits = Number.POSITIVE_INFINITY
    for (const [unit, amount] of this.#takesOf(service)) {
      fits = Math.min(fits, Math.floor(this.#free(unit, service) / amount))
    }
    return Math.max(0, fits)
  }

  /** The first resource, in name order, that is short for one more attempt. */
  shortage(service: string): Shortage | null {
    const units = [...this.#takesOf(service)].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [unit, amount] of units) {
      if (this.#free(unit, service) < amount) return shortageOf(unit)
    }
    return null
  }

  #free(unit: string, service: string): number {
    const isHeld = this.#held !== null && this.#held !== service
    const held = isHeld ? (this.#takesOf(this.#held ?? '').get(unit) ?? 0) : 0
    return (this.#has.get(unit) ?? 0) - (this.#used.get(unit) ?? 0) - held
  }

  #takesOf(service: string): ReadonlyMap<string, number> {
    return this.#takes.get(service) ?? NOTHING
  }
}

const NOTHING: ReadonlyMap<string, number> = new Map()

/** A thread of the pool is a slot of its own kind. */
function shortageOf(unit: string): Shortage {
  if (unit === 'cpu') return 'cpu'
  if (unit === 'memoryMb') return 'memory'
  return unit.startsWith('#') ? 'busy' : 'units'
}
