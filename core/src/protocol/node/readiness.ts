/** Commands that let the ring remember what is offered, as JSON; one for each service. */
export function offerCommands(offersBody: string): string[] {
  const { services }: { readonly services: readonly object[] } = JSON.parse(offersBody)
  return services.map((service) => JSON.stringify({ kind: 'offer-services', services: [service] }))
}

/**
 * Whether the node serves, and if not, what it waits for: every arc must have applied its log up to
 * this life's first entry, and the services thread must have said what it offers.
 */
export class Readiness {
  #arcsLeft: number
  #offersBody: string | null = null
  #wasServing = false

  /** @param arcs  how many there are to wait for */
  constructor(arcs: number) {
    this.#arcsLeft = arcs
  }

  get isServing(): boolean {
    return this.#arcsLeft === 0 && this.#offersBody !== null
  }

  /** True when reads can be answered; services are not needed for that. */
  get isReadable(): boolean {
    return this.#arcsLeft === 0
  }

  /** JSON of what the services thread offers; null until it has said so. */
  get offersBody(): string | null {
    return this.#offersBody
  }

  noteOffers(body: string): void {
    this.#offersBody = body
  }

  noteArcServing(): void {
    this.#arcsLeft -= 1
  }

  /** True once: at the first call after the node began to serve. */
  justBegan(): boolean {
    const begins = this.isServing && !this.#wasServing
    this.#wasServing ||= begins
    return begins
  }

  /** null: it serves */
  get reason(): string | null {
    if (this.#arcsLeft > 0) return `${this.#arcsLeft} arcs are still catching up with the log`
    if (this.#offersBody === null) return 'the services thread is still loading plugins'
    return null
  }
}
