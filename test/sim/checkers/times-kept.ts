import type { EntryBody, SubmitCommand } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { partsOf } from '../attempt-parts.js'
import type { JobView } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** What a job's submission said, in arc time; Infinity: nothing. */
interface Times {
  readonly runAt: number
  readonly startBy: number
  readonly timeoutMs: number
  /** When its first run is over. */
  readonly timesOutAt: number
  /** Steps that run when all that is over: none of these times is for them. */
  readonly failureSteps: ReadonlySet<string>
}

/**
 * Nothing of a job starts before its `runAt`; its first attempt starts before its `startBy`, or it
 * ends `start_by_passed` without one; no step starts once the job's timeout is over; and only a job
 * with a timeout times out. Instants are compared with the arc time of the entry that started the
 * attempt, as the log has it. An operator's retry begins anew, so that only first runs are looked at.
 */
export class TimesKept implements Checker {
  readonly name = 'times-kept'
  readonly #jobs = new Map<string, Times>()
  /** Arc and index → arc time of the entry. */
  readonly #timeOf = new Map<string, number>()
  /** Jobs of which an attempt was handed out. */
  readonly #started = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'entry') {
      const { arc, index, body } = observation.entry
      const { t, c }: EntryBody = JSON.parse(body)
      this.#timeOf.set(`${arc}/${index}`, t)
      if (c.kind === 'submit' && !this.#jobs.has(c.id)) this.#jobs.set(c.id, timesOf(c, t))
      const source = c.kind === 'resubmit' ? this.#jobs.get(c.source) : undefined
      if (c.kind === 'resubmit' && source !== undefined && !this.#jobs.has(c.id))
        this.#jobs.set(c.id, timesAgain(source, t))
    } else if (observation.kind === 'dispatched') {
      this.#onDispatch(observation.dispatch)
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) this.#onRest(job)
    }
  }

  #onDispatch({ arc, index, attempt }: Dispatch): void {
    const { job, run, step, isCompensation } = partsOf(attempt)
    const times = this.#jobs.get(job)
    if (times?.failureSteps.has(step) === true) return
    this.#started.add(job)
    const at = this.#timeOf.get(`${arc}/${index}`)
    if (times === undefined || at === undefined || isCompensation || run > 1) return
    if (at < times.runAt) this.#fail(attempt, `was started ${times.runAt - at} ms before runAt`)
    if (at >= times.timesOutAt) this.#fail(attempt, 'was started past the timeout of its job')
  }

  /** An attempt that a crash kept from being handed out has started too: the job says when. */
  #onRest({ id, run, cause, error, startedAt }: JobView): void {
    const times = this.#jobs.get(id)
    if (times === undefined || run > 1) return
    if (cause === 'timed_out' && times.timesOutAt === Infinity)
      this.#fail(`job ${id}`, 'timed out and has no timeout')
    const isStarted = this.#started.has(id) || startedAt !== null
    if (error?.code === 'start_by_passed' && (isStarted || times.startBy === Infinity))
      this.#fail(`job ${id}`, 'ended start_by_passed, which it was not')
    if (startedAt !== null && Date.parse(startedAt) >= times.startBy)
      this.#fail(`job ${id}`, `started at ${startedAt}, past its startBy`)
  }

  #fail(what: string, problem: string): never {
    throw new Violation(this.name, `${what} ${problem}`)
  }
}

function timesOf(command: SubmitCommand, t: number): Times {
  const { delayMs = 0, runAt = t + delayMs, startBy = Infinity, timeoutMs = Infinity } = command
  const { steps } = command.plan
  const failureSteps = new Set(
    steps.flatMap(({ name, onFailure }) => (onFailure === true ? [name] : [])),
  )
  return { runAt, startBy, timeoutMs, timesOutAt: Math.max(t, runAt) + timeoutMs, failureSteps }
}

/** A job like another starts at once, and has as much time as that had. */
function timesAgain({ timeoutMs, failureSteps }: Times, t: number): Times {
  return { runAt: t, startBy: Infinity, timeoutMs, timesOutAt: t + timeoutMs, failureSteps }
}
