import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'
import { KnownPlans } from '../known-plans.js'
import { memberOf } from '../behaviour.js'
import type { JobView, StepView } from '../final-state.js'

/**
 * What a step is given of another step's output is what one successful attempt of that step reported
 * (in this job, or in one that it takes that over from), for each step that its plan takes something from; and at rest, each output shown is that of a
 * reported success, of items each at its own place.
 */
export class OutputsFlow implements Checker {
  readonly name = 'outputs-flow'
  /** Attempts that reported success: their ID is the token in their output. */
  readonly #succeeded = new Set<string>()
  readonly #plans = new KnownPlans()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'reported' && observation.outcome.kind === 'succeeded') {
      this.#succeeded.add(observation.attempt)
    } else if (observation.kind === 'dispatched') {
      const { attempt, job, body } = observation.dispatch
      const parts = partsOf(attempt)
      if (parts.isCompensation) return
      const tokens: Record<string, unknown> = JSON.parse(body).input?.tokens ?? {}
      for (const step of this.#takesFrom(job, parts.step))
        this.#check(attempt, { job, step }, tokens[step])
    } else if (observation.kind === 'rested') {
      for (const job of observation.state.jobs) {
        for (const step of job.steps)
          if (step.status === 'succeeded') this.#checkShown(job.id, step)
        if (job.status === 'succeeded') this.#checkJob(job)
      }
    }
  }

  /** Steps whose output stands in the input of this one, by the plan. */
  #takesFrom(job: string, step: string): string[] {
    const input = this.#plans.get(job)?.steps.find(({ name }) => name === step)?.input ?? null
    return Object.keys(memberOf(input, 'tokens') ?? {})
  }

  #checkShown(job: string, { name, output, attempts }: StepView): void {
    const who = `job ${job}`
    if (attempts.length > 0) return this.#check(who, { job, step: name }, tokenOf(output))
    if (!Array.isArray(output)) return
    output.forEach((item, index) => {
      // An item that failed, where the step goes on all the same, gives null.
      if (item !== null) this.#check(who, { job, step: name, index }, tokenOf(item))
    })
  }

  /** A job shows what its plan takes from a step, or what its only step gave. */
  #checkJob({ id, output }: JobView): void {
    const plan = this.#plans.get(id)
    if (plan === undefined) return
    const from = memberOf(memberOf(plan.output ?? null, 'token') ?? null, '$from')
    const step = plan.single ? 'main' : String(from ?? '').split('/')[2]
    if (step !== undefined) this.#check(`job ${id}`, { job: id, step }, tokenOf(output))
  }

  #check(
    who: string,
    { job, step, index }: { readonly job: string; readonly step: string; readonly index?: number },
    token: unknown,
  ): void {
    const parts = partsOf(String(token))
    if (this.#plans.isSkipped(job, step)) {
      if (token === null) return
      throw new Violation(this.name, `${who}: ${step} was skipped and gave ${String(token)}`)
    }
    // Whose result a memoised step is given is for memos-honest.
    if (this.#plans.isMemoised(job, step) && this.#succeeded.has(String(token))) return
    const isRight =
      this.#succeeded.has(String(token)) &&
      this.#plans.doersOf(job, step).includes(parts.job) &&
      parts.step === step &&
      parts.index === String(index ?? '-') &&
      !parts.isCompensation
    if (!isRight)
      throw new Violation(
        this.name,
        `${who}: output of ${step} is ${JSON.stringify(token)}, which no successful attempt of it reported`,
      )
  }
}

function tokenOf(output: unknown): unknown {
  return typeof output === 'object' && output !== null && 'token' in output ? output.token : output
}
