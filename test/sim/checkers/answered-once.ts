import { type Checker, type Observation, Violation } from '../observation.js'

/** N3: each request of a life is answered at most once; at rest none of the last life's is open. */
export class AnsweredOnce implements Checker {
  readonly name = 'answered-once'
  readonly #open = new Set<number>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'invoked':
        this.#open.add(observation.operation.number)
        return
      case 'answered':
        if (this.#open.delete(observation.operation.number)) return
        throw new Violation(
          this.name,
          `operation ${observation.operation.number} was answered twice`,
        )
      case 'unanswered':
        this.#open.delete(observation.operation.number)
        return
      case 'rested':
        if (this.#open.size === 0) return
        throw new Violation(
          this.name,
          `operations ${[...this.#open].join(', ')} were never answered`,
        )
      default:
        return
    }
  }
}
