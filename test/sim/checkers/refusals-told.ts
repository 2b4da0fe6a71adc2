import type { JobView } from '../final-state.js'
import { KnownPlans } from '../known-plans.js'
import { type Checker, type Observation, Violation } from '../observation.js'
import type { Refusals } from '../sim-refusals.js'
import type { JobTimeline, RefusalEvent } from '../timelines.js'

/**
 * Histories tell refusals: whoever has waited since the look before for a service that the node refuses is
 * told so, with the present reason; nobody is told the same twice in a run without an attempt in between,
 * or of a service that is not its own or was never refused so; and nobody is told anything any more once
 * the node has taken everything since the look before.
 */
export class RefusalsTold implements Checker {
  readonly name = 'refusals-told'
  readonly #plans = new KnownPlans()
  #refused: Refusals = {}
  readonly #everRefused = new Set<string>()
  /** Since the offer changed: what waited at the newest look, and how much each job had been told. */
  #waited: ReadonlySet<string> | null = null
  #toldCounts: ReadonlyMap<string, number> = new Map()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'offered') this.#onOffered(observation.refused ?? {})
    if (observation.kind === 'looked') this.#onLooked(observation.timelines)
  }

  #onOffered(refused: Refusals): void {
    if (JSON.stringify(refused) !== JSON.stringify(this.#refused)) this.#waited = null
    this.#refused = refused
    for (const [service, { reason, text }] of Object.entries(refused))
      this.#everRefused.add(nameOf(service, reason, text))
  }

  #onLooked(timelines: readonly JobTimeline[]): void {
    const waiting = new Set<string>()
    const counts = new Map<string, number>()
    for (const { job, events } of timelines) {
      const told = this.#readTimeline(job.id, events)
      for (const [place, service] of this.#waitsOf(job)) {
        const name = `${job.id} ${job.run} ${place}`
        waiting.add(name)
        if (this.#waited?.has(name) === true) this.#mustBeTold(name, service, told.get(place))
      }
      counts.set(job.id, events.filter(({ type }) => type === 'service_refused').length)
    }
    if (this.#waited !== null && Object.keys(this.#refused).length === 0) this.#nothingNew(counts)
    this.#waited = waiting
    this.#toldCounts = counts
  }

  /** @returns for each step and hook the refusal that it was told last, if nothing was tried since */
  #readTimeline(id: string, events: readonly RefusalEvent[]): ReadonlyMap<string, string> {
    const told = new Map<string, string>()
    for (const { type, step = '', hook = 'run', service = '', reason = '', text = '' } of events) {
      const place = `${step} ${hook}`
      if (type === 'job_retried') told.clear()
      if (type === 'attempt_started') told.delete(place)
      if (type !== 'service_refused') continue
      const refusal = nameOf(service, reason, text)
      if (told.get(place) === refusal) this.#fail(`${id} ${place} is told twice: ${refusal}`)
      if (!this.#everRefused.has(refusal)) this.#fail(`${id} is told what never was: ${refusal}`)
      if (this.#serviceOf(id, step, hook) !== service)
        this.#fail(`${id} ${place} is told of ${service}, which it does not run on`)
      told.set(place, refusal)
    }
    return told
  }

  /** Steps, and undoings of steps, that could start: with their services. */
  #waitsOf({ id, steps }: JobView): (readonly [string, string])[] {
    return steps.flatMap(({ name, status, compensation }) => {
      const hooks = [
        ...(status === 'queued' ? ['run'] : []),
        ...(compensation?.status === 'queued' ? ['compensate'] : []),
      ]
      return hooks.map((hook) => [`${name} ${hook}`, this.#serviceOf(id, name, hook)] as const)
    })
  }

  #mustBeTold(name: string, service: string, told: string | undefined): void {
    const refusal = this.#refused[service]
    if (refusal === undefined) return
    const wanted = nameOf(service, refusal.reason, refusal.text)
    if (told !== wanted) this.#fail(`${name} waits for ${wanted} and was told ${told ?? 'nothing'}`)
  }

  #nothingNew(counts: ReadonlyMap<string, number>): void {
    for (const [id, count] of counts) {
      const before = this.#toldCounts.get(id) ?? 0
      if (count > before) this.#fail(`${id} was told of a refusal that is over`)
    }
  }

  #serviceOf(id: string, name: string, hook: string): string {
    const step = this.#plans.get(id)?.steps.find((one) => one.name === name)
    return (hook === 'run' ? step?.service : step?.compensate?.service) ?? ''
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}

function nameOf(service: string, reason: string, text: string): string {
  return `${service} (${reason}: ${text})`
}
