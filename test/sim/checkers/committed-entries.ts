import { type Checker, type Observation, Violation } from '../observation.js'

interface Seen {
  readonly term: number
  readonly body: string
}

/**
 * I4, N2: an entry, once handed to the ledger, is the same for ever, and each life hands over its
 * arcs' entries one after another, beginning at or before the first that no life has handed over.
 */
export class CommittedEntries implements Checker {
  readonly name = 'committed-entries'
  /** Per arc; entry `index` stands at `index − 1`. */
  readonly #entries = new Map<number, Seen[]>()
  readonly #nextInLife = new Map<number, number>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'life-began') this.#nextInLife.clear()
    if (observation.kind !== 'entry') return
    const { arc, index, term, body } = observation.entry
    const entries = this.#entries.get(arc) ?? []
    this.#entries.set(arc, entries)
    const next = this.#nextInLife.get(arc)
    this.#nextInLife.set(arc, index + 1)
    if (next !== undefined && next !== index)
      this.#fail(arc, `entry ${index} came where ${next} was due`)
    if (index > entries.length + 1)
      this.#fail(arc, `entries ${entries.length + 1} to ${index - 1} were skipped`)
    const seen = entries[index - 1]
    if (seen === undefined) entries.push({ term, body })
    else if (seen.body !== body || seen.term !== term) {
      this.#fail(arc, `entry ${index} was ${seen.body} and is now ${body}`)
    }
  }

  #fail(arc: number, what: string): never {
    throw new Violation(this.name, `arc ${arc}: ${what}`)
  }
}
