/**
 * Service names that figures are told apart by. More than these, and every scrape of a node with
 * thousands of services would cost it more than its work; fewer, and an operator with many services
 * would see most of them in one sum.
 */
export const SERVICE_LABELS_MAX = 100

/** What all further services are counted under. A service of that name is counted there as well. */
export const OTHER_SERVICES = 'other'

/** Gives names out for as long as there are places, first come, first served; then `other`. */
export class ServiceLabels {
  readonly #known = new Set<string>()

  of(service: string): string {
    if (this.#known.has(service)) return service
    if (this.#known.size >= SERVICE_LABELS_MAX) return OTHER_SERVICES
    this.#known.add(service)
    return service
  }
}
