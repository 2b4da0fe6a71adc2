import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * N3: each request of a life is answered at most once, and while the node lives it is answered. A
 * request that waits when nothing moves any more was forgotten.
 */
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
        return this.#fail(`operation ${observation.operation.number} was answered twice`)
      case 'answered-unasked':
        return this.#fail(`request ${observation.request} was answered and is not open`)
      case 'unanswered':
        this.#open.delete(observation.operation.number)
        return
      case 'rested':
      case 'stood-still':
        if (this.#open.size > 0)
          this.#fail(`operations ${[...this.#open].join(', ')} were never answered`)
        return
      default:
        return
    }
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}
