import type { AttemptRef } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { formatAttempt, partsOf } from '../attempt-parts.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * Nothing that waits happens too soon, in arc time: an attempt is not told that its time is over before
 * it is, and after a failure the next attempt begins no sooner than the retry policy says. That both
 * happen at all, the run's end shows.
 */
export class InItsTime implements Checker {
  readonly name = 'in-its-time'
  /** Arc time of every entry, by arc and index; and of each arc's newest. */
  readonly #times = new Map<string, number>()
  readonly #newest = new Map<number, number>()
  readonly #dispatches = new Map<string, Dispatch>()
  readonly #plans = new KnownPlans()
  /** Arc time at which an attempt was first said to have failed, by attempt. */
  readonly #failedAt = new Map<string, number>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'entry') this.#onEntry(observation.entry)
    else if (observation.kind === 'dispatched') {
      this.#dispatches.set(observation.dispatch.attempt, observation.dispatch)
      this.#checkPause(observation.dispatch)
    } else if (observation.kind === 'aborted' && observation.reason === 'timed_out') {
      this.#checkTimeout(observation.attempt)
    }
  }

  #onEntry({ arc, index, body }: { arc: number; index: number; body: string }): void {
    const { t, c } = JSON.parse(body)
    this.#times.set(`${arc}/${index}`, t)
    this.#newest.set(arc, Math.max(t, this.#newest.get(arc) ?? 0))
    if (c.kind !== 'finish-attempt' || c.outcome.kind !== 'failed') return
    const ref: AttemptRef = c.attempt
    const attempt = formatAttempt(ref)
    if (!this.#failedAt.has(attempt)) this.#failedAt.set(attempt, t)
  }

  #checkTimeout(attempt: string): void {
    const dispatch = this.#dispatches.get(attempt)
    if (dispatch === undefined) return
    const { arc, index, timeoutMs } = dispatch
    const startedAt = this.#times.get(`${arc}/${index}`) ?? 0
    const lasted = (this.#newest.get(arc) ?? 0) - startedAt
    if (lasted < timeoutMs)
      throw new Violation(this.name, `${attempt} had ${lasted} ms of its ${timeoutMs}`)
  }

  /** An operator's retry begins a new run of the steps, but not of the compensations. */
  #checkPause({ attempt, arc, index }: Dispatch): void {
    const { job, run, step, index: item, isCompensation, number } = partsOf(attempt)
    const policy = this.#plans.get(job)?.steps.find(({ name }) => name === step)?.retry
    if (isCompensation || policy === undefined) return
    const before = `${job}.${run}.${step}.${item}.r.${number - 1}`
    const failedAt = this.#failedAt.get(before)
    if (failedAt === undefined) return
    const shortest = Math.floor(
      Math.min(policy.delayMs, policy.maxDelayMs) / (policy.jitter ? 2 : 1),
    )
    const paused = (this.#times.get(`${arc}/${index}`) ?? 0) - failedAt
    if (paused < shortest)
      throw new Violation(
        this.name,
        `${attempt} began ${paused} ms after a failure, to be ${shortest}`,
      )
  }
}
