import type {
  EntryBody,
  ResubmitCommand,
  SubmitCommand,
} from '@gyre/core/internal/protocol/ledger/command.js'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { partsOf } from '../attempt-parts.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** A step without an explicit priority has this one. */
const USUAL_PRIORITY = 5
/** Of each slot, the attempt that is on its way and the next one may begin before a better task is known. */
const OVERTAKES_A_SLOT = 2

/** A committed entry, as far as order needs it. */
interface Committed {
  readonly t: number
  /** Of all entries of all arcs, in the order in which the engine handed them on. */
  readonly place: number
}

/** An attempt that an entry has started. */
interface Start {
  readonly attempt: string
  readonly arc: number
  readonly index: number
  readonly priority: number
  readonly life: number
  /** Of its entry. */
  readonly place: number
  /** Arc time since when it was ready; null: not known for certain. */
  readonly readyAt: number | null
}

/** A job whose first steps are ready with the very entry that submits it. */
interface Submitted {
  readonly arc: number
  readonly index: number
  readonly life: number
  readonly entry: Committed
  readonly firstSteps: ReadonlySet<string>
}

/**
 * Of the tasks of one service that are ready in one arc, each entry starts those of the best priority,
 * and of equal ones those that have been ready for longer. Of the other arcs a few tasks of worse
 * priority may still start until the engine knows of a better one, and then none. It looks back when a
 * task starts of which it is certain since when it was ready: the first attempts of first steps.
 */
export class BestFirst implements Checker {
  readonly name = 'best-first'
  readonly #priorities = new Map<string, number>()
  readonly #submitted = new Map<string, Submitted>()
  readonly #entries = new Map<string, Committed>()
  readonly #starts = new Map<string, Start[]>()
  #slots: Readonly<Record<string, number>> = {}
  #totalSlots = 0
  #life = 0

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'life-began') this.#life += 1
    else if (observation.kind === 'entry') this.#onEntry(observation.entry)
    else if (observation.kind === 'offered') {
      this.#slots = observation.slots
      this.#totalSlots = observation.totalSlots
    } else if (observation.kind === 'dispatched') this.#onDispatch(observation.dispatch)
  }

  /** An entry that is handed on once more, to a next life, stands where it stood. */
  #onEntry({ arc, index, body }: { arc: number; index: number; body: string }): void {
    const key = `${arc}/${index}`
    if (this.#entries.has(key)) return
    const { t, c }: EntryBody = JSON.parse(body)
    const entry = { t, place: this.#entries.size }
    this.#entries.set(key, entry)
    if (c.kind === 'resubmit') this.#onResubmit(c)
    else if (c.kind === 'submit') this.#onSubmit(c, { arc, index, life: this.#life, entry })
  }

  #onSubmit(command: SubmitCommand, where: Omit<Submitted, 'firstSteps'>): void {
    const { id, plan, priority = USUAL_PRIORITY, delayMs, runAt } = command
    this.#priorities.set(id, priority)
    if (delayMs !== undefined || runAt !== undefined) return
    const first = plan.steps.filter(({ needs, onFailure }) => needs.length === 0 && !onFailure)
    this.#submitted.set(id, { ...where, firstSteps: new Set(first.map(({ name }) => name)) })
  }

  #onResubmit({ id, source }: ResubmitCommand): void {
    this.#priorities.set(id, this.#priorities.get(source) ?? USUAL_PRIORITY)
  }

  #onDispatch({ arc, index, attempt, service }: Dispatch): void {
    const entry = this.#entries.get(`${arc}/${index}`)
    const priority = this.#priorities.get(partsOf(attempt).job)
    if (entry === undefined || priority === undefined) return
    const ready = this.#readyWith(attempt)
    const readyAt = ready?.entry.t ?? null
    const { place } = entry
    const start: Start = { attempt, arc, index, priority, life: this.#life, place, readyAt }
    const earlier = this.#starts.get(service) ?? []
    if (ready !== undefined) {
      for (const other of earlier) this.#checkArc(start, ready, other)
      this.#checkOthers(service, { start, ready, earlier })
    }
    this.#starts.set(service, [...earlier, start])
  }

  /** What made the task ready, if this is the first attempt of a job's first step. */
  #readyWith(attempt: string): Submitted | undefined {
    const { job, run, step, index, isCompensation, number } = partsOf(attempt)
    const isFirst = run === 1 && number === 1 && !isCompensation && (index === '-' || index === '0')
    const submitted = this.#submitted.get(job)
    return isFirst && submitted?.firstSteps.has(step) === true ? submitted : undefined
  }

  #checkArc(start: Start, ready: Submitted, other: Start): void {
    if (other.arc !== start.arc || other.index < ready.index || other.index >= start.index) return
    if (other.priority < start.priority)
      this.#fail(
        start,
        `of priority ${start.priority} waited while ${other.attempt} of ${other.priority} began`,
      )
    const isYounger = other.readyAt !== null && other.readyAt > ready.entry.t
    if (other.priority === start.priority && isYounger)
      this.#fail(start, `was ready before ${other.attempt} of the same priority, which began first`)
  }

  #checkOthers(
    service: string,
    { start, ready, earlier }: { start: Start; ready: Submitted; earlier: readonly Start[] },
  ): void {
    if (ready.life !== start.life) return
    const overtakers = earlier.filter(
      ({ life, place, priority }) =>
        life === start.life &&
        place > ready.entry.place &&
        place < start.place &&
        priority < start.priority,
    )
    const slots = Math.min(this.#slots[service] ?? 0, this.#totalSlots)
    if (overtakers.length <= OVERTAKES_A_SLOT * slots) return
    const names = overtakers.map(({ attempt }) => attempt).join(', ')
    this.#fail(start, `of priority ${start.priority} waited while worse ones began: ${names}`)
  }

  #fail({ attempt }: Start, problem: string): never {
    throw new Violation(this.name, `${attempt} ${problem}`)
  }
}
