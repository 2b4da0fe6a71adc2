import { partsOf } from '../attempt-parts.js'
import type { JobView } from '../final-state.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * A step whose condition is not met, or that cannot do without one that was skipped, never runs; every
 * other step of a job that succeeded has succeeded.
 */
export class ConditionsKept implements Checker {
  readonly name = 'conditions-kept'
  readonly #plans = new KnownPlans()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'dispatched') {
      const { attempt } = observation.dispatch
      const { job, step } = partsOf(attempt)
      if (this.#plans.isSkipped(job, step))
        throw new Violation(this.name, `${attempt} is of a step that must be skipped`)
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#checkJob(job)
    }
  }

  #checkJob({ id, status, steps }: JobView): void {
    if (status !== 'succeeded') return
    for (const { name, onFailure } of this.#plans.get(id)?.steps ?? []) {
      const isSkipped = this.#plans.isSkipped(id, name) || onFailure === true
      const wanted = isSkipped ? 'skipped' : 'succeeded'
      const step = steps.find((one) => one.name === name)
      if (step?.status !== wanted)
        throw new Violation(
          this.name,
          `step ${name} of job ${id} is ${step?.status}, not ${wanted}`,
        )
    }
  }
}
