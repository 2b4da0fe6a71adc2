import { type Checker, type Observation, Violation } from '../observation.js'

/** A node ends itself only when its disk failed it; how often is bounded by how often that happened. */
export class GaveUpForAReason implements Checker {
  readonly name = 'gave-up-for-a-reason'
  readonly #diskFailures: () => number
  #gaveUp = 0

  /** @param diskFailures  faults injected so far that a node may give up for */
  constructor(diskFailures: () => number) {
    this.#diskFailures = diskFailures
  }

  observe(_at: number, observation: Observation): void {
    if (observation.kind !== 'life-ended' || observation.end.kind !== 'gave-up') return
    this.#gaveUp += 1
    if (this.#gaveUp <= this.#diskFailures()) return
    throw new Violation(this.name, `${observation.end.code}: ${observation.end.message}`)
  }
}
