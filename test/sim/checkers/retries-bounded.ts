import type { JobPlan } from '@gyre/jobs'
import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from './task-key.js'

/**
 * The retry policy is kept: in one run a task fails at most as often as its policy allows attempts,
 * and nothing is tried again after a failure that says it cannot be retried.
 */
export class RetriesBounded implements Checker {
  readonly name = 'retries-bounded'
  readonly #plans = new Map<string, JobPlan>()
  /** Task and run → failures reported and dispatches after them. */
  readonly #failures = new Map<string, number>()
  readonly #gaveUp = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'invoked') {
      const { work } = observation.operation
      if (work.kind === 'command' && work.command.kind === 'submit') {
        this.#plans.set(work.command.id, work.command.plan)
      }
    } else if (observation.kind === 'dispatched') {
      this.#onDispatch(observation.dispatch.attempt)
    } else if (observation.kind === 'reported') {
      this.#onReport(observation.attempt, observation.outcome)
    }
  }

  #onDispatch(attempt: string): void {
    const parts = partsOf(attempt)
    if (parts.isCompensation) return
    const key = `${parts.task}.${parts.run}`
    if (this.#gaveUp.has(key)) throw new Violation(this.name, `${attempt} was started after a failure that is not retryable`)
    const policy = this.#plans.get(parts.job)?.steps.find((step) => step.name === parts.step)
    if (policy === undefined) throw new Violation(this.name, `${attempt} is of no step that was submitted`)
    const failures = this.#failures.get(key) ?? 0
    if (failures < policy.retry.attempts) return
    throw new Violation(this.name, `${attempt} was started after ${failures} failures; ${policy.retry.attempts} attempts are allowed`)
  }

  #onReport(attempt: string, outcome: { readonly kind: string; readonly error?: { readonly retryable: boolean } }): void {
    const parts = partsOf(attempt)
    if (outcome.kind !== 'failed' && outcome.kind !== 'timed_out') return
    const key = `${parts.task}.${parts.run}`
    const counted = `${attempt} counted`
    if (parts.isCompensation || this.#failures.has(counted)) return
    this.#failures.set(counted, 1)
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1)
  }
}
