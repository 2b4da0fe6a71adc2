import type { Json } from '@gyre/jobs'
import type { JobView } from '../final-state.js'
import type { ClientOperation } from '../operation.js'
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
 * every job that a client was ever shown; an acknowledged retry or cancellation of it has happened, and
 * a job that an operator has failed stays failed.
 * Only what somebody has deleted, or wanted removed soon after its end, may be missing; what was said
 * to be deleted must be. Acknowledged record writes are the subject of records-linearizable.ts.
 */
export class AcknowledgedKept implements Checker {
  readonly name = 'acknowledged-kept'
  /** Job ID → JSON of its input, as submitted. */
  readonly #inputs = new Map<string, string>()
  readonly #told = new Map<string, Told>()
  /** Jobs that operators have failed, each with the run that it was in. */
  readonly #failed = new Map<string, number>()
  /** Whose deletion was tried, and whose was acknowledged. */
  readonly #maybeDeleted = new Set<string>()
  /** Whose jobs were to be deleted by a bulk action; and of which team each job is. */
  readonly #deletedTeams = new Set<string>()
  readonly #teamOf = new Map<string, string>()
  /** With a retention of their own, which jobs made from them have too. */
  readonly #keptBriefly = new Set<string>()
  readonly #deleted = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'rested') return this.#check(observation.state.jobs)
    if (observation.kind === 'invoked') return this.#onInvoked(observation.operation)
    if (observation.kind !== 'answered' || !observation.reply.ok) return
    const { work } = observation.operation
    if (work.kind === 'command' && work.command.kind === 'delete-job') {
      this.#deleted.add(work.command.id)
      return
    }
    const shown = shownIn(observation.reply.body)
    if (work.kind === 'command' && work.command.kind === 'submit') {
      if (shown === null)
        this.#fail(
          `an accepted submission was answered without a job: ${observation.reply.body ?? ''}`,
        )
      if (!shown.purged) this.#inputs.set(shown.id, JSON.stringify(work.command.input))
    }
    if (work.kind === 'command' && work.command.kind === 'fail' && shown !== null)
      this.#failed.set(shown.id, shown.run)
    if (work.kind === 'command' && work.command.kind === 'resubmit') {
      const { source, input } = work.command
      const text = input === undefined ? this.#inputs.get(source) : JSON.stringify(input)
      if (shown === null) this.#fail('an accepted resubmission was answered without a job')
      if (text !== undefined) this.#inputs.set(shown.id, text)
    }
    const isCancel = work.kind === 'command' && work.command.kind === 'cancel'
    if (shown !== null && !shown.purged) this.#learn(shown, isCancel)
  }

  #onInvoked({ work }: ClientOperation): void {
    if (work.kind !== 'command') return
    const { command } = work
    if (command.kind === 'delete-job') this.#maybeDeleted.add(command.id)
    if (command.kind === 'act-on-jobs' && command.action === 'delete')
      this.#deletedTeams.add(command.filter.labels?.['team'] ?? '')
    if (command.kind === 'submit') this.#teamOf.set(command.id, command.labels?.['team'] ?? 'none')
    if (command.kind === 'resubmit')
      this.#teamOf.set(command.id, this.#teamOf.get(command.source) ?? 'none')
    if (command.kind === 'submit' && command.retentionMs !== undefined) {
      this.#keptBriefly.add(command.id)
    }
    if (command.kind === 'resubmit' && this.#keptBriefly.has(command.source)) {
      this.#keptBriefly.add(command.id)
    }
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
      const job = found.get(id)
      if (job === undefined) {
        if (this.#maybeDeleted.has(id) || this.#keptBriefly.has(id)) continue
        if (this.#deletedTeams.has(this.#teamOf.get(id) ?? '')) continue
        this.#fail(`job ${id} was acknowledged and is lost`)
      }
      if (this.#deleted.has(id)) this.#fail(`job ${id} was deleted and is there`)
      const failedRun = this.#failed.get(id)
      if (failedRun !== undefined && (job.run !== failedRun || job.status !== 'failed'))
        this.#fail(`job ${id} was failed by an operator and is ${job.status} in run ${job.run}`)
      if (job.run < run)
        this.#fail(`run ${run} of job ${id} was acknowledged, it is in run ${job.run}`)
      if (isCancelled && job.run === run && job.cause !== 'cancelled')
        this.#fail(`the cancellation of job ${id} was acknowledged, it ended by ${job.cause}`)
    }
    for (const [id, input] of this.#inputs) {
      if (!found.has(id)) continue
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
  /** It was removed; this is what its key remembers. */
  readonly purged: boolean
}

/** The job that an answer shows; null when it shows something else. */
function shownIn(body: string | undefined): Shown | null {
  if (body === undefined) return null
  const { id, run = 0, cause, purged = false } = JSON.parse(body)
  const isJob = typeof id === 'string' && (purged === true || run > 0)
  return isJob ? { id, run, cause, purged } : null
}

/** The `id` member of a job's JSON. */
export function idIn(body: string | undefined): string | null {
  return shownIn(body)?.id ?? null
}
