import {
  type Catalog,
  type JobDefinition,
  type KnownService,
  parseJobDefinition,
  parseRetry,
} from '@gyre/jobs'
import { SYSTEM_ARC } from '../base/ids.js'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { OffersBody, ServiceOffer } from '../protocol/node/messages.js'
import type { NodeClient } from '../runtime/node-client.js'
import { SERVICES_REFRESH_MS } from './limits.js'

type Refusal = Extract<Reply, { readonly ok: false }>

/**
 * Services and job definitions that submissions may name: what this node's plugins offer now, and
 * every service that any node ever offered (the ring remembers them). Offers win: they are newer.
 */
export class KnownWork implements Catalog {
  readonly #client: NodeClient
  #offers: OffersBody | null = null
  #offered = new Map<string, ServiceOffer>()
  #jobs = new Map<string, JobDefinition>()
  #remembered = new Map<string, ServiceOffer>()
  #rememberedText = ''
  #refreshedAt = Number.NEGATIVE_INFINITY
  #refreshing: Promise<void> | null = null
  /** Why the ring did not say what it remembers, when it was asked last; null: it did. */
  #doubt: Refusal | null = null

  constructor(client: NodeClient) {
    this.#client = client
  }

  service(name: string): KnownService | undefined {
    const offer = this.offer(name)
    if (offer === undefined) return undefined
    const { timeoutMs, compensates, version, memoizeMs } = offer
    const retry = parseRetry(offer.retry)
    return {
      timeoutMs,
      compensates,
      version,
      ...(memoizeMs === undefined ? {} : { memoizeMs }),
      ...(retry === null ? {} : { retry }),
    }
  }

  job(name: string): JobDefinition | undefined {
    this.#takeOffers()
    return this.#jobs.get(name)
  }

  offer(name: string): ServiceOffer | undefined {
    this.#takeOffers()
    return this.#offered.get(name) ?? this.#remembered.get(name)
  }

  isOffered(name: string): boolean {
    this.#takeOffers()
    return this.#offered.has(name)
  }

  /** All known services by name, those of this node's plugins first told of; `missing` arcs did not answer. */
  async services(): Promise<{ readonly items: readonly ServiceOffer[]; readonly missing: number }> {
    await this.#refresh()
    this.#takeOffers()
    const all = new Map([...this.#remembered, ...this.#offered])
    const items = [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return { items, missing: this.#doubt === null ? 0 : 1 }
  }

  /** A service is unknown only where the ring can say so. @returns why it cannot; null: it can */
  doubtOf({ code }: { readonly code: string }): Refusal | null {
    return code === 'unknown_service' ? this.#doubt : null
  }

  get jobs(): readonly JobDefinition[] {
    this.#takeOffers()
    return [...this.#jobs.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Asks the ring, at most once a second, when one of these services is not known here yet.
   *
   * @returns null when there is nothing to wait for, which is nearly always
   */
  learn(names: readonly string[]): Promise<void> | null {
    if (names.every((name) => this.offer(name) !== undefined)) return null
    if (performance.now() - this.#refreshedAt < SERVICES_REFRESH_MS) return null
    return this.#refresh()
  }

  #takeOffers(): void {
    const { offers } = this.#client
    if (offers === this.#offers) return
    this.#offers = offers
    this.#offered = new Map(offers.services.map((service) => [service.name, service]))
    this.#jobs = new Map()
    for (const offer of offers.jobs) {
      const parsed = parseJobDefinition(offer)
      if (parsed.ok) this.#jobs.set(offer.name, parsed.definition)
    }
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#askRing().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #askRing(): Promise<void> {
    const reply = await this.#client.query(SYSTEM_ARC, { kind: 'services' })
    this.#refreshedAt = performance.now()
    this.#doubt = reply.ok ? null : reply
    // The same text keeps the same objects, and with them their compiled schemas.
    if (!reply.ok || reply.body === undefined || reply.body === this.#rememberedText) return
    this.#rememberedText = reply.body
    const { items }: { items: readonly ServiceOffer[] } = JSON.parse(reply.body)
    this.#remembered = new Map(items.map((service) => [service.name, service]))
  }
}
