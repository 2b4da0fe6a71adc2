import type { ArcId } from '../../base/ids.js'
import type { NoteRefusalsCommand, RefusedService } from '../ledger/command.js'
import { REFUSAL_TEXT_CHARS_MAX, REFUSALS_PER_COMMAND } from './limits.js'
import type { KnownRefusal, OffersBody } from './messages.js'

/**
 * Which services this node refuses, and which arcs know of it. An arc is told of a refusal once tasks of
 * it wait for that service, so that arcs without such work have nothing to write; and of its end.
 *
 * Not its job: whom the arc tells (ledger/refused-steps.ts).
 */
export class RefusedServices {
  readonly #node: string
  /** Null until the services thread has said so. */
  #refused: ReadonlyMap<string, RefusedService> | null = null
  /** Per arc what it knows, or will by a command that is on its way: `nameOf` each refusal. */
  readonly #known = new Map<ArcId, Map<string, string>>()

  constructor(node: string) {
    this.#node = node
  }

  /** @param body  JSON of what the services thread offers */
  noteOffers(body: string): void {
    const { refused = {} }: OffersBody = JSON.parse(body)
    this.#refused = new Map(
      Object.entries(refused).map(([service, { reason, text }]) => [
        service,
        { service, reason, text: text.slice(0, REFUSAL_TEXT_CHARS_MAX) },
      ]),
    )
  }

  /** What an arc knew when this life of the node began. */
  noteKnown(arc: ArcId, refusals: readonly KnownRefusal[]): void {
    const named = refusals.map((one) => [one.service, nameOf(one.node, one)] as const)
    this.#known.set(arc, new Map(named))
  }

  /**
   * What the arc must be told, and is taken to know from now on.
   *
   * @param waitedFor  services that tasks of it wait for; only asked when the answer matters
   * @returns commands as JSON; none: it knows
   */
  newsFor(arc: ArcId, waitedFor: () => Iterable<string>): string[] {
    if (this.#refused === null || this.#refused.size + this.#known.size === 0) return []
    const known = this.#known.get(arc) ?? new Map<string, string>()
    const lifted = [...known.keys()].filter((service) => !this.#refused?.has(service))
    const refused: RefusedService[] = []
    for (const service of new Set([...known.keys(), ...waitedFor()])) {
      const refusal = this.#refused.get(service)
      if (refusal === undefined || known.get(service) === nameOf(this.#node, refusal)) continue
      known.set(service, nameOf(this.#node, refusal))
      refused.push(refusal)
    }
    for (const service of lifted) known.delete(service)
    if (known.size > 0) this.#known.set(arc, known)
    else this.#known.delete(arc)
    return this.#commands(refused, lifted)
  }

  #commands(refused: readonly RefusedService[], lifted: readonly string[]): string[] {
    const commands: string[] = []
    const count = Math.max(refused.length, lifted.length)
    for (let from = 0; from < count; from += REFUSALS_PER_COMMAND) {
      const to = from + REFUSALS_PER_COMMAND
      const command: NoteRefusalsCommand = {
        kind: 'note-refusals',
        node: this.#node,
        refused: refused.slice(from, to),
        lifted: lifted.slice(from, to),
      }
      commands.push(JSON.stringify(command))
    }
    return commands
  }
}

/** Equal for equal refusals. */
function nameOf(node: string, { reason, text }: Omit<RefusedService, 'service'>): string {
  return JSON.stringify([node, reason, text])
}
