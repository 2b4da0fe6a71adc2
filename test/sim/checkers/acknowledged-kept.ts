import { type Checker, type Observation, Violation } from '../observation.js'

/** I10: a job whose submission was acknowledged exists, with the input that was submitted. */
export class AcknowledgedKept implements Checker {
  readonly name = 'acknowledged-kept'
  /** Job ID → JSON of its input. */
  readonly #acknowledged = new Map<string, string>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'answered') {
      const { work } = observation.operation
      if (work.kind !== 'command' || work.command.kind !== 'submit' || !observation.reply.ok) return
      const id = idIn(observation.reply.body)
      if (id === null)
        throw new Violation(
          this.name,
          `an accepted submission was answered without a job: ${observation.reply.body}`,
        )
      this.#acknowledged.set(id, JSON.stringify(work.command.input))
    }
    if (observation.kind !== 'rested') return
    const inputs = new Map(observation.state.jobs.map((job) => [job.id, JSON.stringify(job.input)]))
    for (const [id, input] of this.#acknowledged) {
      const found = inputs.get(id)
      if (found === undefined)
        throw new Violation(this.name, `job ${id} was acknowledged and is lost`)
      if (found !== input)
        throw new Violation(this.name, `job ${id} was submitted with ${input} and has ${found}`)
    }
  }
}

/** The `id` member of a job's JSON. */
export function idIn(body: string | undefined): string | null {
  if (body === undefined) return null
  const { id } = JSON.parse(body)
  return typeof id === 'string' ? id : null
}
