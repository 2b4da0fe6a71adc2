import { type Checker, type Observation, Violation } from '../observation.js'

/** What clients are shown at rest is what they are shown after a power cut and a restart. */
export class RestSurvives implements Checker {
  readonly name = 'rest-survives'
  #before: ReadonlyMap<string, string> | null = null

  observe(_at: number, observation: Observation): void {
    if (observation.kind !== 'rested') return
    const now = new Map(observation.state.jobs.map((job) => [job.id, JSON.stringify(job)]))
    for (const [id, shown] of this.#before ?? []) {
      const again = now.get(id)
      if (again !== shown)
        throw new Violation(
          this.name,
          `job ${id} was shown as ${shown}, after a restart as ${again}`,
        )
    }
    this.#before = now
  }
}
