import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * At rest nothing is held: no attempt runs, no slot is taken, no proposal waits; a job that succeeded
 * has no step that did not.
 */
export class AtRest implements Checker {
  readonly name = 'at-rest'

  observe(_at: number, observation: Observation): void {
    if (observation.kind !== 'rested') return
    const { jobs, runningAttempts, pendingProposals } = observation.state
    if (runningAttempts > 0)
      throw new Violation(this.name, `${runningAttempts} attempts still count as running`)
    if (pendingProposals > 0)
      throw new Violation(this.name, `${pendingProposals} proposals still wait`)
    for (const job of jobs) {
      if (job.status !== 'succeeded') continue
      const open = job.steps.find(({ status }) => status !== 'succeeded')
      if (open !== undefined)
        throw new Violation(
          this.name,
          `job ${job.id} succeeded, its step ${open.name} is ${open.status}`,
        )
    }
  }
}
