import { type Checker, type Observation, Violation } from '../observation.js'

/** F42: a submission that reached the log after its `notAfter` made no job. */
export class NotAfterKept implements Checker {
  readonly name = 'not-after-kept'
  /** IDs of jobs that must not exist. */
  readonly #tooLate = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'entry') {
      const { t, c } = JSON.parse(observation.entry.body)
      if (c.kind === 'submit' && c.notAfter !== undefined && t > c.notAfter) this.#tooLate.add(c.id)
    } else if (observation.kind === 'rested') {
      const job = observation.state.jobs.find(({ id }) => this.#tooLate.has(id))
      if (job !== undefined)
        throw new Violation(this.name, `job ${job.id} was submitted too late and exists`)
    }
  }
}
