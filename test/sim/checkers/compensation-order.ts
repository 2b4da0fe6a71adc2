import type { Command } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'

interface Undoing {
  step: string
  alive: number
  /** Steps that were undone before. */
  readonly done: Set<string>
}

/**
 * I14, order: compensations of one job's steps follow one another in the reverse order in which the
 * steps ended, and the next step's begins only when the one before it has come to its end. Items of
 * one step may be undone side by side.
 */
export class CompensationOrder implements Checker {
  readonly name = 'compensation-order'
  /** Per job and step: place in the log of the end of its last attempt. */
  readonly #endOf = new Map<string, number>()
  /** Job → its arc. */
  readonly #arcOf = new Map<string, number>()
  /** Per arc: index of the newest entry seen; older ones are replayed. */
  readonly #newest = new Map<number, number>()
  #entryCount = 0
  /** Per job: the step that is being undone, and how many of its compensations have not ceased. */
  readonly #undoing = new Map<string, Undoing>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'entry':
        return this.#onEntry(observation.entry)
      case 'dispatched':
        return this.#onDispatch(observation.dispatch)
      case 'ceased':
        return this.#onCeased(observation.attempt)
      default:
        return
    }
  }

  #onEntry({ arc, index, body }: Extract<Observation, { readonly kind: 'entry' }>['entry']): void {
    if (index <= (this.#newest.get(arc) ?? 0)) return
    this.#newest.set(arc, index)
    this.#entryCount += 1
    const command: Command = JSON.parse(body).c
    if (command.kind === 'retry') this.#undoing.get(command.id)?.done.clear()
    if (command.kind === 'act-on-jobs' && command.action === 'retry') this.#beginAnew(arc)
    if (command.kind === 'lose-worker') this.#forgetEnds(arc)
    if (command.kind !== 'finish-attempt' || command.attempt.hook !== 'run') return
    const { job, step } = command.attempt
    if (!this.#undoing.has(job)) this.#endOf.set(`${job}.${step}`, this.#entryCount)
  }

  /** Any job of the arc may have been retried. */
  #beginAnew(arc: number): void {
    for (const [job, undoing] of this.#undoing) {
      if (this.#arcOf.get(job) === arc) undoing.done.clear()
    }
  }

  /** Which attempts end here cannot be seen from outside: some were started and never dispatched. */
  #forgetEnds(arc: number): void {
    for (const key of this.#endOf.keys()) {
      if (this.#arcOf.get(partsOf(key).job) === arc) this.#endOf.delete(key)
    }
  }

  #onDispatch({ attempt, arc }: Dispatch): void {
    const { job, step, isCompensation } = partsOf(attempt)
    this.#arcOf.set(job, arc)
    if (!isCompensation) return
    const undoing = this.#undoing.get(job)
    if (undoing === undefined) {
      this.#undoing.set(job, { step, alive: 1, done: new Set() })
      return
    }
    if (undoing.step !== step) this.#onNextStep(job, step, undoing)
    undoing.alive += 1
  }

  #onNextStep(job: string, step: string, undoing: Undoing): void {
    if (undoing.alive > 0)
      throw new Violation(this.name, `job ${job}: ${step} is undone while ${undoing.step} still is`)
    if (undoing.done.has(step))
      throw new Violation(this.name, `job ${job}: ${step} is undone again after ${undoing.step}`)
    const before = this.#endOf.get(`${job}.${undoing.step}`)
    const now = this.#endOf.get(`${job}.${step}`)
    if (before !== undefined && now !== undefined && now > before) {
      throw new Violation(
        this.name,
        `job ${job}: ${step} ended after ${undoing.step} and is undone after it`,
      )
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
