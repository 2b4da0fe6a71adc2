import { partsOf } from '../attempt-parts.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** Never do more items of a `forEach` step run, or are undone, at a time than the step allows. */
export class ConcurrencyKept implements Checker {
  readonly name = 'concurrency-kept'
  readonly #plans = new KnownPlans()
  /** `job.step.hook` → attempts whose code may run. */
  readonly #alive = new Map<string, Set<string>>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'dispatched') {
      this.#begin(observation.dispatch.attempt)
    } else if (observation.kind === 'ceased') {
      this.#aliveWith(observation.attempt).delete(observation.attempt)
    }
  }

  #begin(attempt: string): void {
    const { job, step } = partsOf(attempt)
    const alive = this.#aliveWith(attempt).add(attempt)
    const plan = this.#plans.get(job)?.steps.find(({ name }) => name === step)
    const allowed = plan?.forEach?.concurrency ?? 1
    if (alive.size > allowed)
      throw new Violation(this.name, `${[...alive].join(', ')} run at a time, ${allowed} may`)
  }

  #aliveWith(attempt: string): Set<string> {
    const { job, step, isCompensation } = partsOf(attempt)
    const key = `${job}.${step}.${isCompensation ? 'c' : 'r'}`
    const alive = this.#alive.get(key) ?? new Set()
    this.#alive.set(key, alive)
    return alive
  }
}
