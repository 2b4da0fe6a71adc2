import type { JobPlan } from '@gyre/jobs'
import type { JobView, StepView } from '../final-state.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, type OutsideEffect, Violation } from '../observation.js'

/**
 * I14, completeness: a job that ended `compensated` has undone every step that was done or may have
 * been, outside as well: each effect of an attempt that reported success, of an item too, is followed
 * by one of its compensation, and no effect has a higher fence than that. A job that needed no undoing
 * undid nothing. Only an operator who fails a job leaves something, and only what could not be undone
 * and what would have come behind it.
 */
export class CompensationComplete implements Checker {
  readonly name = 'compensation-complete'
  readonly #plans = new KnownPlans()
  readonly #effects = new Map<string, OutsideEffect[]>()
  /** Jobs that operators have tried to fail. */
  readonly #givenUp = new Set<string>()
  /** Attempts that reported success. */
  readonly #succeeded = new Set<string>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'invoked') {
      const { work } = observation.operation
      if (work.kind === 'command' && work.command.kind === 'fail')
        this.#givenUp.add(work.command.id)
    } else if (observation.kind === 'reported') {
      if (observation.outcome.kind === 'succeeded') this.#succeeded.add(observation.attempt)
    } else if (observation.kind === 'effect') {
      const { effect } = observation
      const effects = this.#effects.get(effect.job) ?? []
      effects.push(effect)
      this.#effects.set(effect.job, effects)
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#checkJob(job)
    }
  }

  #checkJob(job: JobView): void {
    const plan = this.#plans.get(job.id)
    if (plan === undefined) throw new Violation(this.name, `job ${job.id} was never submitted`)
    const effects = this.#effects.get(job.id) ?? []
    if (job.status === 'succeeded' && effects.some((effect) => effect.hook === 'compensate')) {
      throw new Violation(this.name, `job ${job.id} succeeded and was compensated`)
    }
    const hooked = job.steps.filter((step) => hasHook(plan, step.name))
    if (job.status === 'failed') this.#checkNothingLeft(job.id, hooked)
    if (job.status !== 'compensated') return
    for (const step of hooked) {
      if (mustBeUndone(step)) this.#checkUndone(job.id, step)
      if (!isSkipped(step)) this.#checkOutside(job.id, step.name, effects)
    }
  }

  #checkNothingLeft(job: string, hooked: readonly StepView[]): void {
    const left = hooked.find(mustBeUndone)
    if (left === undefined || (this.#givenUp.has(job) && hooked.some(hasFailedToUndo))) return
    throw new Violation(this.name, `job ${job} failed, and ${left.name} was not undone`)
  }

  #checkUndone(job: string, step: StepView): void {
    const status = step.compensation?.status
    if (status === 'succeeded' || isSkipped(step)) return
    throw new Violation(
      this.name,
      `job ${job} is compensated, but ${step.name} (${step.status}) is ${status ?? 'not undone'}`,
    )
  }

  /** What handlers did: the last word on each item is its undoing, if the action may count as done. */
  #checkOutside(job: string, step: string, effects: readonly OutsideEffect[]): void {
    const undone = new Map<string, number>()
    for (const effect of effects) {
      if (effect.step === step && effect.hook === 'compensate')
        undone.set(String(effect.item), effect.fence)
    }
    for (const effect of effects) {
      if (effect.step !== step || effect.hook !== 'run') continue
      const fence = undone.get(String(effect.item))
      if (fence === undefined && this.#succeeded.has(effect.attempt))
        throw new Violation(this.name, `job ${job}: ${effect.attempt} acted and was not undone`)
      if (fence !== undefined && effect.fence > fence) {
        throw new Violation(
          this.name,
          `job ${job}: ${effect.attempt} acted with a higher fence than its compensation`,
        )
      }
    }
  }
}

function hasHook(plan: JobPlan, step: string): boolean {
  return plan.steps.some(({ name, compensate }) => name === step && compensate !== null)
}

/** An operator let it be. */
function isSkipped({ compensation }: StepView): boolean {
  return (compensation?.skipped ?? null) !== null
}

function hasFailedToUndo({ compensation }: StepView): boolean {
  return compensation?.status === 'failed'
}

/** Done, or an attempt of it ended in a way that does not say what happened. */
function mustBeUndone(step: StepView): boolean {
  return step.attempts.some(
    ({ outcome, error }) =>
      outcome === 'succeeded' ||
      outcome === 'timed_out' ||
      (outcome === 'lost' && error?.code !== 'attempt_not_started') ||
      outcome === 'cancelled' ||
      error?.code === 'memory_exceeded',
  )
}
