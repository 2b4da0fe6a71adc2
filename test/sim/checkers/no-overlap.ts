import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'

/**
 * I13, I14: while code of an attempt may still run, neither another attempt of its task nor the
 * compensation of it is started.
 */
export class NoOverlap implements Checker {
  readonly name = 'no-overlap'
  /** Task → the attempt of it that has not ceased. */
  readonly #alive = new Map<string, string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'dispatched') {
      const { attempt } = observation.dispatch
      const { task } = partsOf(attempt)
      const other = this.#alive.get(task)
      if (other !== undefined)
        throw new Violation(this.name, `${attempt} was started while ${other} may still run`)
      this.#alive.set(task, attempt)
    } else if (observation.kind === 'ceased') {
      this.#alive.delete(partsOf(observation.attempt).task)
    }
  }
}
