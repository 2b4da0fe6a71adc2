import type { Prng } from '@gyre/core/internal/base/prng.js'
import type { Refusal } from '@gyre/core/internal/protocol/node/messages.js'
import { SERVICES, UNDO_SERVICE } from './swarm.js'

export type Refusals = Readonly<Record<string, Refusal>>

const ALL_SERVICES = [...SERVICES, UNDO_SERVICE]
const REASONS: readonly Refusal[] = [
  { reason: 'labels', text: 'it runs where gpu=yes, and this node has no gpu' },
  { reason: 'memory', text: 'one attempt takes memoryMb=4000 and the node has 1000' },
]

/**
 * Which services the node cannot take. Its operator starts it with other labels each time, in the end twice
 * with the same, and at last with all that it needs: a run must come to rest.
 */
export class SimRefusals {
  readonly #prng: Prng
  /** Null: drawn anew for each life of the node. */
  #kept: Refusals | null

  constructor(prng: Prng, isOn: boolean) {
    this.#prng = prng
    this.#kept = isOn ? null : {}
  }

  /** For a life that begins now. */
  draw(): Refusals {
    return this.#kept ?? this.#drawSome()
  }

  /** From now on the same for every life. */
  keep(): void {
    const service = this.#prng.pick(ALL_SERVICES)
    this.#kept = { ...this.#drawSome(), [service]: this.#prng.pick(REASONS) }
  }

  end(): void {
    this.#kept = {}
  }

  #drawSome(): Refusals {
    const refused = ALL_SERVICES.filter(() => this.#prng.chance(0.3))
    return Object.fromEntries(refused.map((service) => [service, this.#prng.pick(REASONS)]))
  }
}
