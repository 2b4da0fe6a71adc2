import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'

/**
 * I11, I13: no attempt is started twice; attempts of a task strictly rise, also across runs and
 * crashes; fences strictly rise among all attempts and compensations of one job, so that a receiver
 * that keeps the highest fence it saw refuses every older one.
 */
export class AttemptsRise implements Checker {
  readonly name = 'attempts-rise'
  readonly #lastNumber = new Map<string, number>()
  readonly #lastFence = new Map<string, number>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind !== 'dispatched') return
    const { attempt, job, fence, number } = observation.dispatch
    const parts = partsOf(attempt)
    if (parts.job !== job || parts.number !== number) {
      throw new Violation(this.name, `${attempt} was dispatched as attempt ${number} of job ${job}`)
    }
    const task = `${parts.task}.${parts.isCompensation ? 'c' : 'r'}`
    const last = this.#lastNumber.get(task) ?? 0
    if (number <= last)
      throw new Violation(
        this.name,
        `${attempt} was dispatched after attempt ${last} of the same task`,
      )
    this.#lastNumber.set(task, number)
    const lastFence = this.#lastFence.get(job) ?? 0
    if (fence <= lastFence)
      throw new Violation(
        this.name,
        `${attempt} has fence ${fence}, its job had ${lastFence} before`,
      )
    this.#lastFence.set(job, fence)
  }
}
