import type { StepPlan } from '@gyre/jobs'
import type { EntryBody } from '@gyre/core/internal/protocol/ledger/command.js'
import { formatAttempt, partsOf } from '../attempt-parts.js'
import { memberOf } from '../behaviour.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** Between an attempt's end and its result being kept lie two entries and a disk that may stall. */
const KEPT_WITHIN_MS = 30_000

/**
 * What a memoised attempt is given instead of running is what a successful attempt of the same service
 * and input has reported, in the job that is named, not longer ago than the result lasts; and only
 * memoised steps are given anything.
 */
export class MemosHonest implements Checker {
  readonly name = 'memos-honest'
  readonly #plans = new KnownPlans()
  /** Attempt that reported success → arc time of the entry that took it. */
  readonly #succeededAt = new Map<string, number>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind !== 'entry') return
    const { t, c: command }: EntryBody = JSON.parse(observation.entry.body)
    if (command.kind !== 'finish-attempt' || command.outcome.kind !== 'succeeded') return
    const attempt = formatAttempt(command.attempt)
    const { memoizedFrom, output } = command.outcome
    if (memoizedFrom === undefined) this.#succeededAt.set(attempt, t)
    else this.#check(attempt, { source: memoizedFrom, token: memberOf(output, 'token'), t })
  }

  #check(
    attempt: string,
    given: { readonly source: string; readonly token: unknown; readonly t: number },
  ): void {
    const step = this.#stepOf(attempt)
    const origin = this.#stepOf(String(given.token))
    const since = this.#succeededAt.get(String(given.token))
    const isSame =
      since !== undefined &&
      partsOf(String(given.token)).job === given.source &&
      step?.memoize !== undefined &&
      origin?.memoize !== undefined &&
      workOf(step) === workOf(origin)
    if (!isSame) throw new Violation(this.name, `${attempt} was given ${String(given.token)}`)
    const age = given.t - since
    if (age > origin.memoize.forMs + KEPT_WITHIN_MS)
      throw new Violation(this.name, `${attempt} was given ${String(given.token)} of ${age} ms ago`)
  }

  #stepOf(attempt: string): StepPlan | undefined {
    const { job, step } = partsOf(attempt)
    return this.#plans.get(job)?.steps.find(({ name }) => name === step)
  }
}

/** The inputs of memoised steps hold no pointers. */
function workOf({ service, input }: StepPlan): string {
  return `${service} ${JSON.stringify(input)}`
}
