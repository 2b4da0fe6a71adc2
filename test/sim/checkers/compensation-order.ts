import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from './task-key.js'

/**
 * I14, order: compensations of one job's steps follow one another in the reverse order in which the
 * steps ended, and the next step's begins only when the one before it has come to its end. Items of
 * one step may be undone side by side.
 */
export class CompensationOrder implements Checker {
  readonly name = 'compensation-order'
  /** Per job and step: place in the log of the last report of an attempt of it. */
  readonly #endOf = new Map<string, number>()
  #entryCount = 0
  /** Per job: the step that is being undone, and how many of its compensations have not ceased. */
  readonly #undoing = new Map<string, { step: string; alive: number; readonly done: Set<string> }>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'entry':
        return this.#onEntry(observation.entry.body)
      case 'dispatched':
        return this.#onDispatch(observation.dispatch.attempt)
      case 'ceased':
        return this.#onCeased(observation.attempt)
      default:
        return
    }
  }

  #onEntry(body: string): void {
    this.#entryCount += 1
    const { c } = JSON.parse(body)
    if (c.kind === 'retry') this.#undoing.get(c.id)?.done.clear()
    if (c.kind !== 'finish-attempt' || c.attempt.hook !== 'run') return
    const key = `${c.attempt.job}.${c.attempt.step}`
    if (!this.#undoing.has(c.attempt.job)) this.#endOf.set(key, this.#entryCount)
  }

  #onDispatch(attempt: string): void {
    const { job, step, isCompensation } = partsOf(attempt)
    if (!isCompensation) return
    const undoing = this.#undoing.get(job)
    if (undoing === undefined) {
      this.#undoing.set(job, { step, alive: 1, done: new Set() })
      return
    }
    if (undoing.step !== step) this.#onNextStep(job, step, undoing)
    undoing.alive += 1
  }

  #onNextStep(job: string, step: string, undoing: { step: string; alive: number; done: Set<string> }): void {
    if (undoing.alive > 0) throw new Violation(this.name, `job ${job}: ${step} is undone while ${undoing.step} still is`)
    if (undoing.done.has(step)) throw new Violation(this.name, `job ${job}: ${step} is undone again after ${undoing.step}`)
    const before = this.#endOf.get(`${job}.${undoing.step}`)
    const now = this.#endOf.get(`${job}.${step}`)
    if (before !== undefined && now !== undefined && now > before) {
      throw new Violation(this.name, `job ${job}: ${step} ended after ${undoing.step} and is undone after it`)
    }
    undoing.done.add(undoing.step)
    undoing.step = step
  }

  #onCeased(attempt: string): void {
    const { job, isCompensation } = partsOf(attempt)
    const undoing = this.#undoing.get(job)
    if (isCompensation && undoing !== undefined) undoing.alive -= 1
  }
}
