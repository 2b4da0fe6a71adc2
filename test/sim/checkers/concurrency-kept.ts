import { partsOf } from '../attempt-parts.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** Never do more items of a `forEach` step run, or are undone, at a time than the step allows. */
export class ConcurrencyKept implements Checker {
  readonly name = 'concurrency-kept'
  /** `job.step` → items at a time. */
  readonly #allowed = new Map<string, number>()
  /** `job.step.hook` → attempts whose code may run. */
  readonly #alive = new Map<string, Set<string>>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'invoked') {
      const { work } = observation.operation
      if (work.kind !== 'command' || work.command.kind !== 'submit') return
      const { id, plan } = work.command
      for (const { name, forEach } of plan.steps)
        if (forEach !== null) this.#allowed.set(`${id}.${name}`, forEach.concurrency)
    } else if (observation.kind === 'dispatched') {
      this.#begin(observation.dispatch.attempt)
    } else if (observation.kind === 'ceased') {
      this.#aliveWith(observation.attempt).delete(observation.attempt)
    }
  }

  #begin(attempt: string): void {
    const { job, step } = partsOf(attempt)
    const alive = this.#aliveWith(attempt).add(attempt)
    const allowed = this.#allowed.get(`${job}.${step}`) ?? 1
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
