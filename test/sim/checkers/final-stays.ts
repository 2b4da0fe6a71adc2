import { FINAL_STATUSES, type JobView } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * A run that a client saw end stays ended as it was, to the last member of what is shown of it; only a
 * failed compensation may still move on.
 */
export class FinalStays implements Checker {
  readonly name = 'final-stays'
  /** `job/run` → JSON of the job as it was seen to have ended. */
  readonly #seen = new Map<string, string>()

  observe(_at: number, observation: Observation): void {
    if (
      observation.kind === 'answered' &&
      observation.reply.ok &&
      observation.reply.body !== undefined
    ) {
      const { work } = observation.operation
      if (work.kind === 'command' ? isAboutJob(work.command.kind) : work.query.kind === 'job') {
        this.#see(JSON.parse(observation.reply.body))
      }
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#see(job)
    }
  }

  #see(job: Pick<JobView, 'id' | 'run' | 'status'>): void {
    const key = `${job.id}/${job.run}`
    const now = JSON.stringify(job)
    const before = this.#seen.get(key)
    if (before !== undefined && before !== now)
      throw new Violation(this.name, `run ${job.run} had ended as ${before} and is ${now}`)
    const isOver = FINAL_STATUSES.has(job.status) && job.status !== 'compensation_failed'
    if (isOver) this.#seen.set(key, now)
  }
}

function isAboutJob(kind: string): boolean {
  return (
    kind === 'cancel' ||
    kind === 'retry' ||
    kind === 'skip' ||
    kind === 'fail' ||
    kind === 'resubmit'
  )
}
