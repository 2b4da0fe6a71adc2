import { FINAL_STATUSES } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** A run that a client saw end stays ended as it was; only a failed compensation may still move on. */
export class FinalStays implements Checker {
  readonly name = 'final-stays'
  /** `job/run` → final status seen. */
  readonly #seen = new Map<string, string>()

  observe(_at: number, observation: Observation): void {
    if (
      observation.kind === 'answered' &&
      observation.reply.ok &&
      observation.reply.body !== undefined
    ) {
      const { work } = observation.operation
      if (work.kind === 'command' ? isAboutJob(work.command.kind) : work.query.kind === 'job') {
        const { id, run, status } = JSON.parse(observation.reply.body)
        this.#see(id, run, status)
      }
    } else if (observation.kind === 'rested') {
      for (const { id, run, status } of observation.state.jobs) this.#see(id, run, status)
    }
  }

  #see(job: unknown, run: unknown, status: unknown): void {
    if (typeof job !== 'string' || typeof status !== 'string') return
    const key = `${job}/${run}`
    const before = this.#seen.get(key)
    if (before !== undefined && before !== 'compensation_failed' && before !== status) {
      throw new Violation(this.name, `run ${run} of job ${job} was seen ${before} and is ${status}`)
    }
    if (FINAL_STATUSES.has(status)) this.#seen.set(key, status)
  }
}

function isAboutJob(kind: string): boolean {
  return kind === 'cancel' || kind === 'retry' || kind === 'skip'
}
