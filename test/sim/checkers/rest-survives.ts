import type { FinalState } from '../final-state.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** What clients are shown at rest, jobs and records, they are shown after a power cut and a restart. */
export class RestSurvives implements Checker {
  readonly name = 'rest-survives'
  #before: ReadonlyMap<string, string> | null = null

  observe(_at: number, observation: Observation): void {
    if (observation.kind !== 'rested') return
    const now = shownIn(observation.state)
    const before = this.#before ?? now
    for (const name of new Set([...before.keys(), ...now.keys()])) {
      const shown = before.get(name) ?? 'not there'
      const again = now.get(name) ?? 'not there'
      if (again !== shown)
        throw new Violation(this.name, `${name} was shown as ${shown}, after a restart as ${again}`)
    }
    this.#before = now
  }
}

function shownIn({ jobs, records }: FinalState): ReadonlyMap<string, string> {
  return new Map([
    ...jobs.map((job) => [`job ${job.id}`, JSON.stringify(job)] as const),
    ...records.map((record) => [`record ${record.key}`, JSON.stringify(record)] as const),
  ])
}
