import { type Checker, type Observation, Violation } from '../observation.js'
import { idIn } from './acknowledged-kept.js'

/**
 * I15: one idempotency key, one job: whatever was retried, and whether or not its answers arrived. A
 * request that is not the one which the key belongs to is refused.
 */
export class OneJobPerKey implements Checker {
  readonly name = 'one-job-per-key'
  /** Key → the job that a client was told of, with the fingerprint that made it. */
  readonly #told = new Map<string, { readonly id: string; readonly fingerprint: string }>()
  /** Job IDs that were proposed under a key, answered or not. */
  readonly #keyOfProposed = new Map<string, string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'invoked' || observation.kind === 'answered') {
      const { work } = observation.operation
      if (work.kind !== 'command') return
      if (work.command.kind !== 'submit' && work.command.kind !== 'resubmit') return
      const { id, idempotency } = work.command
      if (idempotency === undefined) return
      if (observation.kind === 'invoked') this.#keyOfProposed.set(id, idempotency.key)
      else if (observation.reply.ok)
        this.#onTold(idempotency.key, idempotency.fingerprint, idIn(observation.reply.body) ?? '')
    }
    if (observation.kind === 'rested') this.#countJobs(observation.state.jobs.map((job) => job.id))
  }

  #onTold(key: string, fingerprint: string, id: string): void {
    const told = this.#told.get(key)
    if (told === undefined) {
      this.#told.set(key, { id, fingerprint })
    } else if (told.id !== id) {
      throw new Violation(
        this.name,
        `key ${key} was answered with job ${told.id} and with job ${id}`,
      )
    } else if (told.fingerprint !== fingerprint) {
      throw new Violation(this.name, `key ${key} was accepted for two different requests`)
    }
  }

  #countJobs(ids: readonly string[]): void {
    const jobOfKey = new Map<string, string>()
    for (const id of ids) {
      const key = this.#keyOfProposed.get(id)
      if (key === undefined) continue
      const other = jobOfKey.get(key)
      if (other !== undefined)
        throw new Violation(this.name, `key ${key} made two jobs: ${other} and ${id}`)
      jobOfKey.set(key, id)
    }
  }
}
