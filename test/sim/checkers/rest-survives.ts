import type { FinalState } from '../final-state.js'
import type { ClientOperation } from '../operation.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * What clients are shown at rest, jobs and records, they are shown after a power cut and a restart. Of
 * jobs that go soon after their end, some may have gone meanwhile.
 */
export class RestSurvives implements Checker {
  readonly name = 'rest-survives'
  /** Jobs that are kept for a moment only. */
  readonly #mayGo = new Set<string>()
  #before: ReadonlyMap<string, string> | null = null

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'invoked') this.#noteRetention(observation.operation)
    if (observation.kind !== 'rested') return
    const now = shownIn(observation.state)
    const before = this.#before ?? now
    for (const name of new Set([...before.keys(), ...now.keys()])) {
      const shown = before.get(name) ?? NOT_THERE
      const again = now.get(name) ?? NOT_THERE
      if (again === NOT_THERE && this.#mayGo.has(name)) continue
      if (again !== shown)
        throw new Violation(this.name, `${name} was shown as ${shown}, after a restart as ${again}`)
    }
    this.#before = now
  }

  #noteRetention({ work }: ClientOperation): void {
    if (work.kind !== 'command') return
    if (work.command.kind === 'resubmit' && this.#mayGo.has(`job ${work.command.source}`))
      this.#mayGo.add(`job ${work.command.id}`)
    if (work.command.kind !== 'submit') return
    const { id, retentionMs } = work.command
    if (retentionMs !== undefined) this.#mayGo.add(`job ${id}`)
  }
}

const NOT_THERE = 'not there'

function shownIn({ jobs, records }: FinalState): ReadonlyMap<string, string> {
  return new Map([
    ...jobs.map((job) => [`job ${job.id}`, JSON.stringify(job)] as const),
    ...records.map((record) => [`record ${record.key}`, JSON.stringify(record)] as const),
  ])
}
