import { partsOf } from '../attempt-parts.js'
import { memberOf } from '../behaviour.js'
import type { JobView } from '../final-state.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * Steps that are there for a failure run when nothing else of the job does, before anything of it is
 * undone, and only in runs that go forward no more; each of them has had its turn when a job has
 * failed that nobody cancelled.
 */
export class FailureSteps implements Checker {
  readonly name = 'failure-steps'
  readonly #plans = new KnownPlans()
  /** Job → attempts of its other steps whose code may run. */
  readonly #alive = new Map<string, Set<string>>()
  /** `job.run` in which failure steps have begun. */
  readonly #failing = new Set<string>()
  /** The same of compensation. */
  readonly #compensating = new Set<string>()
  /** `job.run.step` of what reported success. */
  readonly #succeeded = new Set<string>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'dispatched') {
      this.#onDispatch(observation.dispatch.attempt, observation.dispatch.body)
    } else if (observation.kind === 'reported') {
      const { job, run, step } = partsOf(observation.attempt)
      if (observation.outcome.kind === 'succeeded') this.#succeeded.add(`${job}.${run}.${step}`)
    } else if (observation.kind === 'ceased') {
      this.#alive.get(partsOf(observation.attempt).job)?.delete(observation.attempt)
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#checkJob(job)
    }
  }

  #onDispatch(attempt: string, body: string): void {
    const { job, run, step, isCompensation } = partsOf(attempt)
    const key = `${job}.${run}`
    const alive = this.#alive.get(job) ?? new Set()
    if (this.#isFailureStep(job, step)) {
      if (alive.size > 0)
        throw new Violation(this.name, `${attempt} was started while ${[...alive].join(', ')} ran`)
      if (this.#compensating.has(key))
        throw new Violation(this.name, `${attempt} was started after a compensation`)
      this.#checkReason(attempt, body)
      this.#failing.add(key)
      return
    }
    this.#alive.set(job, alive.add(attempt))
    if (isCompensation) this.#compensating.add(key)
    else if (this.#failing.has(key))
      throw new Violation(this.name, `${attempt} was started after the run had failed`)
  }

  /** It is told which step failed the job, if one did. */
  #checkReason(attempt: string, body: string): void {
    const { job } = partsOf(attempt)
    const failed = memberOf(JSON.parse(body).input, 'failed')
    const isStep = typeof failed === 'string' && this.#hasStep(job, failed)
    if (failed !== null && !(isStep && !this.#isFailureStep(job, String(failed))))
      throw new Violation(this.name, `${attempt} is told that ${String(failed)} failed`)
  }

  #hasStep(job: string, name: string): boolean {
    return this.#plans.get(job)?.steps.some((step) => step.name === name) ?? false
  }

  #isFailureStep(job: string, name: string): boolean {
    const steps = this.#plans.get(job)?.steps ?? []
    return steps.some((step) => step.name === name && step.onFailure === true)
  }

  #checkJob({ id, status, cause, run, steps }: JobView): void {
    const own = steps.filter(({ name }) => this.#isFailureStep(id, name))
    if (own.length === 0) return
    if (status === 'succeeded' && this.#failing.has(`${id}.${run}`))
      throw new Violation(this.name, `job ${id} succeeded in a run that had failed`)
    if (cause === null || cause === 'cancelled') return
    const plans = this.#plans.get(id)?.steps ?? []
    for (const { name, status: shown } of own) {
      const needs = plans.find((step) => step.name === name)?.needs ?? []
      const lacks = own.some((need) => needs.includes(need.name) && need.status !== 'succeeded')
      if (shown === 'succeeded' && !this.#succeeded.has(`${id}.${run}.${name}`))
        throw new Violation(this.name, `${name} of job ${id} did not succeed in run ${run}`)
      if (shown !== 'succeeded' && shown !== 'failed' && !(lacks && shown === 'skipped'))
        throw new Violation(this.name, `job ${id} is ${status}, and ${name} is ${shown}`)
    }
  }
}
