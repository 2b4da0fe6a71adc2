import { type Checker, type Held, type Observation, Violation } from '../observation.js'

/** Which steps may be skipped is for conditions-kept. */
const DONE: ReadonlySet<string> = new Set(['succeeded', 'skipped'])

/**
 * At rest nothing is held: once every job is final no attempt runs, no slot is taken and no proposal
 * waits, by the node's own word and by what handlers do; a job that succeeded has no step that may
 * still run.
 */
export class AtRest implements Checker {
  readonly name = 'at-rest'
  /** Attempts whose code may still run. */
  readonly #alive = new Set<string>()

  observe(_at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'dispatched':
        this.#alive.add(observation.dispatch.attempt)
        return
      case 'ceased':
        this.#alive.delete(observation.attempt)
        return
      case 'stood-still':
        return this.#checkHeld(observation.held)
      case 'rested':
        for (const attempt of this.#alive) this.#fail(`${attempt} may still run`)
        for (const { id, status, steps } of observation.state.jobs) {
          const open = steps.find((step) => !DONE.has(step.status))
          if (status === 'succeeded' && open !== undefined)
            this.#fail(`job ${id} succeeded, its step ${open.name} is ${open.status}`)
        }
        return
      default:
        return
    }
  }

  /** Rest is told only when nothing is held; when that never comes, here is what for. */
  #checkHeld({ openJobs, runningAttempts, pendingProposals }: Held): void {
    if (openJobs.length > 0) return
    if (runningAttempts > 0) this.#fail(`${runningAttempts} attempts count as running for ever`)
    if (pendingProposals > 0) this.#fail(`${pendingProposals} proposals wait for ever`)
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}
