import type { StepPlan } from '@gyre/jobs'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { partsOf } from '../attempt-parts.js'
import type { JobView, StepView } from '../final-state.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * A job that was resubmitted from a step: what it has not done itself another job has done and not
 * undone; what its source had done for good is not done again; the step that it begins with, and what
 * follows from that, it does itself.
 */
export class TakenOver implements Checker {
  readonly name = 'taken-over'
  readonly #plans = new KnownPlans()
  /** `job.step` of what was handed out, and of what was undone. */
  readonly #ran = new Set<string>()
  readonly #undone = new Set<string>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'dispatched') this.#onDispatch(observation.dispatch)
    if (observation.kind !== 'rested') return
    const jobs = new Map(observation.state.jobs.map((job) => [job.id, job]))
    for (const job of jobs.values()) this.#check(job, jobs)
  }

  #onDispatch({ attempt }: Dispatch): void {
    const { job, step, isCompensation } = partsOf(attempt)
    const seen = isCompensation ? this.#undone : this.#ran
    seen.add(`${job}.${step}`)
  }

  #check(job: JobView, jobs: ReadonlyMap<string, JobView>): void {
    const source = this.#plans.sourceOf(job.id)
    if (source === undefined) return
    for (const step of job.steps) {
      this.#checkDoer(job, step)
      const isFirst = source.from === undefined || this.#isBehind(job, step, source.from)
      const before = isFirst ? undefined : jobs.get(source.job)
      if (before !== undefined) this.#checkOnce(job, step, before)
    }
  }

  #isBehind(job: JobView, step: StepView, from: string): boolean {
    return this.#plans.isBehind(job.id, step.name, from)
  }

  /** A success without an attempt is another's, and still stands; a `forEach` may have had no items. */
  #checkDoer(job: JobView, { name, status, attemptCount, takenFrom }: StepView): void {
    const plan = this.#planOf(job, name)
    if (status !== 'succeeded' || attemptCount > 0) return
    if (plan?.forEach !== null && takenFrom === undefined) return
    const doers = this.#plans.doersOf(job.id, name).filter((doer) => doer !== job.id)
    if (takenFrom === undefined || !doers.includes(takenFrom))
      this.#fail(`${name} of job ${job.id} was done by ${takenFrom ?? 'nobody'}`)
    if (this.#undone.has(`${takenFrom}.${name}`))
      this.#fail(`${name} of job ${job.id} was taken over from ${takenFrom}, which has undone it`)
  }

  /** Only of sources that no operator can have moved on meanwhile. */
  #checkOnce(job: JobView, { name }: StepView, before: JobView): void {
    if (before.status !== 'succeeded' && before.status !== 'cancelled') return
    // A later run may have done what was not done when the job was made from it.
    if (before.run > 1) return
    const done = before.steps.find((step) => step.name === name)
    if (done?.status !== 'succeeded' || (done.compensation ?? null) !== null) return
    // What runs because a job has failed runs once more for another.
    if (this.#planOf(job, name)?.onFailure === true) return
    if (this.#ran.has(`${job.id}.${name}`))
      this.#fail(`${name} was done by job ${before.id}, and again by job ${job.id} made from it`)
  }

  #planOf(job: JobView, name: string): StepPlan | undefined {
    return this.#plans.get(job.id)?.steps.find((step) => step.name === name)
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}
