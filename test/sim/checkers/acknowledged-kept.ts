import type { Json } from '@gyre/jobs'
import type { JobView } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** What clients were told of a job. */
interface Told {
  /** The newest run of it. */
  readonly run: number
  /** That run was cancelled: acknowledged, and not to be forgotten. */
  readonly isCancelled: boolean
}

/**
 * I10: a job whose submission was acknowledged exists, with the input that was submitted, and so does
 * every job that a client was ever shown; an acknowledged retry or cancellation of it has happened.
 * Acknowledged record writes are the subject of records-linearizable.ts.
 */
export class AcknowledgedKept implements Checker {
  readonly name = 'acknowledged-kept'
  /** Job ID → JSON of its input, as submitted. */
  readonly #inputs = new Map<string, string>()
  readonly #told = new Map<string, Told>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'rested') return this.#check(observation.state.jobs)
    if (observation.kind !== 'answered' || !observation.reply.ok) return
    const { work } = observation.operation
    const shown = shownIn(observation.reply.body)
    if (work.kind === 'command' && work.command.kind === 'submit') {
      if (shown === null)
        this.#fail(
          `an accepted submission was answered without a job: ${observation.reply.body ?? ''}`,
        )
      this.#inputs.set(shown.id, JSON.stringify(work.command.input))
    }
    const isCancel = work.kind === 'command' && work.command.kind === 'cancel'
    if (shown !== null) this.#learn(shown, isCancel)
  }

  #learn({ id, run, cause }: Shown, isCancel: boolean): void {
    const before = this.#told.get(id)
    if (before !== undefined && before.run > run)
      this.#fail(`job ${id} was shown in run ${before.run} and then in run ${run}`)
    const wasCancelled = before?.run === run && before.isCancelled
    this.#told.set(id, { run, isCancelled: wasCancelled || isCancel || cause === 'cancelled' })
  }

  #check(jobs: readonly JobView[]): void {
    const found = new Map(jobs.map((job) => [job.id, job]))
    for (const [id, { run, isCancelled }] of this.#told) {
      const job = found.get(id) ?? this.#fail(`job ${id} was acknowledged and is lost`)
      if (job.run < run)
        this.#fail(`run ${run} of job ${id} was acknowledged, it is in run ${job.run}`)
      if (isCancelled && job.run === run && job.cause !== 'cancelled')
        this.#fail(`the cancellation of job ${id} was acknowledged, it ended by ${job.cause}`)
    }
    for (const [id, input] of this.#inputs) {
      const shown = JSON.stringify(found.get(id)?.input)
      if (shown !== input) this.#fail(`job ${id} was submitted with ${input} and has ${shown}`)
    }
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}

interface Shown {
  readonly id: string
  readonly run: number
  readonly cause: Json
}

/** The job that an answer shows; null when it shows something else. */
function shownIn(body: string | undefined): Shown | null {
  if (body === undefined) return null
  const { id, run, cause } = JSON.parse(body)
  return typeof id === 'string' && typeof run === 'number' ? { id, run, cause } : null
}

/** The `id` member of a job's JSON. */
export function idIn(body: string | undefined): string | null {
  return shownIn(body)?.id ?? null
}
