import type { EntryBody } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Dispatch } from '@gyre/core/internal/protocol/node/messages.js'
import { type Checker, type Observation, Violation } from '../observation.js'
import { formatAttempt, partsOf } from '../attempt-parts.js'
import { KnownPlans } from '../known-plans.js'

/** Attempts that may be lost without a report in one run; their process died. */
const LOST_MAX = 3

/**
 * The retry policy is kept: in one run a task fails at most as often as its policy allows attempts,
 * nothing is started after three
 * attempts that died with their process, and nothing is tried again after a failure that says it cannot be retried. A failure counts once it
 * is committed; one that came when the attempt's time was over may count as its timeout.
 */
export class RetriesBounded implements Checker {
  readonly name = 'retries-bounded'
  readonly #plans = new KnownPlans()
  readonly #aborted = new Set<string>()
  /** Arc and index → arc time of the entry. */
  readonly #timeOf = new Map<string, number>()
  /** Attempt → arc time at which it times out. */
  readonly #timesOutAt = new Map<string, number>()
  /** Tasks, with their run, that may be started once and were, by which attempt. */
  readonly #startedOnce = new Map<string, string>()
  /** Attempts without an end in the log, by the entry that started them. */
  readonly #open = new Map<string, { readonly arc: number; readonly index: number }>()
  /** Attempts whose process died while they had not timed out. */
  readonly #lost = new Set<string>()
  /** Attempt → whether its committed failure may be retried. */
  readonly #failed = new Map<string, boolean>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'invoked':
        return this.#plans.learn(observation)
      case 'entry':
        return this.#onEntry(observation.entry)
      case 'aborted':
        this.#aborted.add(observation.attempt)
        return
      case 'dispatched':
        return this.#onDispatch(observation.dispatch)
      default:
        return
    }
  }

  #onEntry({ arc, index, body }: Extract<Observation, { readonly kind: 'entry' }>['entry']): void {
    const { t, c: command }: EntryBody = JSON.parse(body)
    this.#timeOf.set(`${arc}/${index}`, t)
    if (command.kind === 'lose-worker') this.#onWorkerLost(arc, index, t)
    if (command.kind !== 'finish-attempt') return
    const { attempt: ref, outcome } = command
    this.#open.delete(formatAttempt(ref))
    if (outcome.kind === 'not_started') this.#onNeverStarted(formatAttempt(ref))
    if (outcome.kind !== 'failed' && outcome.kind !== 'timed_out') return
    const attempt = formatAttempt(ref)
    if (t >= (this.#timesOutAt.get(attempt) ?? Infinity)) this.#aborted.add(attempt)
    if (!this.#failed.has(attempt))
      this.#failed.set(attempt, outcome.kind === 'timed_out' || outcome.error.retryable)
  }

  /** One that has timed out before counts as that. */
  #onWorkerLost(arc: number, index: number, t: number): void {
    for (const [attempt, start] of this.#open) {
      if (start.arc !== arc || start.index > index) continue
      this.#open.delete(attempt)
      const hasTimedOut = this.#aborted.has(attempt) || t >= (this.#timesOutAt.get(attempt) ?? 0)
      if (!hasTimedOut) this.#lost.add(attempt)
    }
  }

  /** One attempt allowed means never started twice, whatever became of the first. */
  #onOnlyAttempt(attempt: string, task: string): void {
    if (this.#startedOnce.has(task))
      throw new Violation(this.name, `${attempt} is a second attempt where one is allowed`)
    this.#startedOnce.set(task, attempt)
  }

  /** Nothing of it ran, so that the one attempt is still to be had. */
  #onNeverStarted(attempt: string): void {
    const { task, run } = partsOf(attempt)
    const key = `${task}.${run}`
    if (this.#startedOnce.get(key) === attempt) this.#startedOnce.delete(key)
  }

  #onDispatch({ arc, index, attempt, timeoutMs }: Dispatch): void {
    const parts = partsOf(attempt)
    this.#timesOutAt.set(attempt, (this.#timeOf.get(`${arc}/${index}`) ?? 0) + timeoutMs)
    this.#open.set(attempt, { arc, index })
    if (parts.isCompensation) return
    const policy = this.#plans.get(parts.job)?.steps.find((step) => step.name === parts.step)
    if (policy === undefined)
      throw new Violation(this.name, `${attempt} is of no step that was submitted`)
    if (policy.retry.attempts === 1) this.#onOnlyAttempt(attempt, `${parts.task}.${parts.run}`)
    const stem = attempt.slice(0, attempt.lastIndexOf('.') + 1)
    let failures = 0
    let lost = 0
    for (let number = 1; number < parts.number; number += 1) {
      if (this.#lost.has(stem + number)) lost += 1
      const isRetryable = this.#failed.get(stem + number)
      if (isRetryable !== undefined) failures += 1
      if (isRetryable === false && !this.#aborted.has(stem + number)) {
        throw new Violation(
          this.name,
          `${attempt} was started after a failure that is not retryable`,
        )
      }
    }
    if (lost >= LOST_MAX)
      throw new Violation(this.name, `${attempt} was started after ${lost} were lost`)
    if (failures < policy.retry.attempts) return
    throw new Violation(
      this.name,
      `${attempt} was started after ${failures} failures; ${policy.retry.attempts} attempts are allowed`,
    )
  }
}
