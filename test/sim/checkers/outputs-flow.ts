import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'

/**
 * What a step is given of another step's output is what one successful attempt of that step reported;
 * and at rest, each output shown is that of a reported success.
 */
export class OutputsFlow implements Checker {
  readonly name = 'outputs-flow'
  /** Attempts that reported success: their ID is the token in their output. */
  readonly #succeeded = new Set<string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'reported' && observation.outcome.kind === 'succeeded') {
      this.#succeeded.add(observation.attempt)
    } else if (observation.kind === 'dispatched') {
      const { attempt, job, body } = observation.dispatch
      if (partsOf(attempt).isCompensation) return
      const tokens: Record<string, unknown> = JSON.parse(body).input?.tokens ?? {}
      for (const [step, token] of Object.entries(tokens)) this.#check(attempt, job, step, token)
    } else if (observation.kind === 'rested') {
      for (const { id, status, steps } of observation.state.jobs) {
        for (const { name, output, attempts, status: stepStatus } of steps) {
          const isPlain = attempts.length > 0
          if (isPlain && stepStatus === 'succeeded')
            this.#check(`${id} (${status})`, id, name, tokenOf(output))
        }
      }
    }
  }

  #check(who: string, job: string, step: string, token: unknown): void {
    const parts = partsOf(String(token))
    const isRight =
      this.#succeeded.has(String(token)) &&
      parts.job === job &&
      parts.step === step &&
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
