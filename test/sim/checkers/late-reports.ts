import type { AttemptView, JobView } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'

/**
 * F37, table 6.7: what an attempt reports after its timeout was decided is stale; it counts as timed
 * out, or lost, and its result is used nowhere.
 */
export class LateReports implements Checker {
  readonly name = 'late-reports'
  /** Attempts whose abort for a timeout was sent, as `job.step.hook.number`; not of items. */
  readonly #timedOut = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'aborted' && observation.reason === 'timed_out') {
      const { job, step, index, isCompensation, number } = partsOf(observation.attempt)
      if (index === '-')
        this.#timedOut.add(`${job}.${step}.${isCompensation ? 'c' : 'r'}.${number}`)
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#checkJob(job)
    }
  }

  #checkJob(job: JobView): void {
    for (const { name, attempts, compensation } of job.steps) {
      this.#check(`${job.id}.${name}.r`, attempts)
      this.#check(`${job.id}.${name}.c`, compensation?.attempts ?? [])
    }
  }

  #check(task: string, attempts: readonly AttemptView[]): void {
    for (const { attempt, outcome } of attempts) {
      if (!this.#timedOut.has(`${task}.${attempt}`)) continue
      if (outcome === 'timed_out' || outcome === 'lost') continue
      throw new Violation(
        this.name,
        `attempt ${attempt} of ${task} timed out and counts as ${outcome}`,
      )
    }
  }
}
