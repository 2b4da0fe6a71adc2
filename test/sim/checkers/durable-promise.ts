import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * I5, I12: what a power cut would leave right now already holds an entry when the ledger gets it,
 * hence before anything is acknowledged or started because of it; and every dispatch names an entry
 * that the ledger got.
 */
export class DurablePromise implements Checker {
  readonly name = 'durable-promise'
  readonly #isDurable: (text: string) => boolean
  readonly #delivered = new Set<string>()

  /** @param isDurable  whether the durable image of the log holds these characters */
  constructor(isDurable: (text: string) => boolean) {
    this.#isDurable = isDurable
  }

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'entry') {
      const { arc, index, body } = observation.entry
      this.#delivered.add(`${arc}/${index}`)
      if (this.#isDurable(body)) return
      throw new Violation(
        this.name,
        `entry ${index} of arc ${arc} was used before it was durable: ${body}`,
      )
    }
    if (observation.kind !== 'dispatched') return
    const { arc, index, attempt } = observation.dispatch
    if (this.#delivered.has(`${arc}/${index}`)) return
    throw new Violation(
      this.name,
      `${attempt} was started by entry ${index} of arc ${arc}, which is not committed`,
    )
  }
}
