import type { CapacityOffer } from '@gyre/core/internal/protocol/node/messages.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * Never do more attempts run than the services thread offered, per service and in all, and never do
 * they together take more of a resource than the node has.
 */
export class SlotsKept implements Checker {
  readonly name = 'slots-kept'
  #slots: Readonly<Record<string, number>> = {}
  #totalSlots = 0
  #capacity: CapacityOffer = { has: {}, takes: {} }
  readonly #serviceOf = new Map<string, string>()
  readonly #running = new Map<string, number>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'offered':
        this.#slots = observation.slots
        this.#totalSlots = observation.totalSlots
        this.#capacity = observation.capacity ?? { has: {}, takes: {} }
        return
      case 'dispatched':
        return this.#begin(observation.dispatch.attempt, observation.dispatch.service)
      case 'ceased':
        return this.#cease(observation.attempt)
      default:
        return
    }
  }

  #begin(attempt: string, service: string): void {
    const running = (this.#running.get(service) ?? 0) + 1
    this.#running.set(service, running)
    this.#serviceOf.set(attempt, service)
    const offered = this.#slots[service] ?? 0
    if (running > offered) {
      throw new Violation(this.name, `${running} attempts of ${service} run in ${offered} slots`)
    }
    if (this.#serviceOf.size > this.#totalSlots) {
      throw new Violation(
        this.name,
        `${this.#serviceOf.size} attempts run in ${this.#totalSlots} slots in all`,
      )
    }
    this.#checkCapacity()
  }

  #checkCapacity(): void {
    const { has, takes } = this.#capacity
    for (const [unit, amount] of Object.entries(has)) {
      let taken = 0
      for (const service of this.#serviceOf.values()) taken += takes[service]?.[unit] ?? 0
      if (taken <= amount) continue
      throw new Violation(this.name, `the attempts that run take ${taken} of ${amount} ${unit}`)
    }
  }

  #cease(attempt: string): void {
    const service = this.#serviceOf.get(attempt)
    if (service === undefined) return
    this.#serviceOf.delete(attempt)
    this.#running.set(service, (this.#running.get(service) ?? 1) - 1)
  }
}
