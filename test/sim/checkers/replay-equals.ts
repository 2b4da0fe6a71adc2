import { type Checker, type Observation, Violation } from '../observation.js'

/** The rows of one arc as text, for comparison, with the index up to which they are applied. */
export interface ArcImage {
  readonly applied: number
  readonly rows: string
}

/** A ledger that applies every entry once, in one go, and never crashes. */
export interface ReferenceLedger {
  apply(entry: Extract<Observation, { readonly kind: 'entry' }>['entry']): void
  image(arc: number): ArcImage
}

/**
 * The state after any number of crashes, flushes and replays is the state that applying the same
 * entries once gives: apply is deterministic and replay neither skips nor repeats.
 */
export class ReplayEquals implements Checker {
  readonly name = 'replay-equals'
  readonly #reference: ReferenceLedger
  readonly #imageOf: (arc: number) => ArcImage
  readonly #applied = new Map<number, number>()

  constructor(reference: ReferenceLedger, imageOf: (arc: number) => ArcImage) {
    this.#reference = reference
    this.#imageOf = imageOf
  }

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'entry') {
      const { entry } = observation
      if (entry.index <= (this.#applied.get(entry.arc) ?? 0)) return
      this.#applied.set(entry.arc, entry.index)
      this.#reference.apply(entry)
    }
    if (observation.kind === 'serving' || observation.kind === 'rested') this.#compareAll()
  }

  #compareAll(): void {
    for (const arc of this.#applied.keys()) {
      const now = this.#imageOf(arc)
      const reference = this.#reference.image(arc)
      if (now.applied !== reference.applied || now.rows === reference.rows) continue
      throw new Violation(
        this.name,
        `arc ${arc} at index ${now.applied}: ${firstDifference(now.rows, reference.rows)}`,
      )
    }
  }
}

function firstDifference(actual: string, expected: string): string {
  const actualRows = actual.split('\n')
  const expectedRows = expected.split('\n')
  const at = actualRows.findIndex((row, index) => row !== expectedRows[index])
  const where = at < 0 ? actualRows.length : at
  return `row ${actualRows[where] ?? '(none)'} should be ${expectedRows[where] ?? '(none)'}`
}
