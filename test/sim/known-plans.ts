import type { JobPlan } from '@gyre/jobs'
import type { Observation } from './observation.js'
import { skippedSteps } from './skipped-steps.js'

/**
 * What each job was to do, by what clients have asked for: the plan of its submission, or of the job
 * that it is like, and then whose outputs its steps may begin with.
 */
export class KnownPlans {
  readonly #plans = new Map<string, JobPlan>()
  readonly #sources = new Map<string, Source>()
  readonly #skipped = new Map<JobPlan, ReadonlySet<string>>()

  learn(observation: Observation): void {
    if (observation.kind !== 'invoked') return
    const { work } = observation.operation
    if (work.kind !== 'command') return
    const { command } = work
    if (command.kind === 'submit') this.#plans.set(command.id, command.plan)
    if (command.kind !== 'resubmit') return
    const { id, source, from } = command
    const plan = this.#plans.get(source)
    if (plan !== undefined) this.#plans.set(id, plan)
    this.#sources.set(id, { job: source, from })
  }

  get(job: string): JobPlan | undefined {
    return this.#plans.get(job)
  }

  /** True for a step that never runs, however the others end. */
  isSkipped(job: string, step: string): boolean {
    const plan = this.#plans.get(job)
    if (plan === undefined) return false
    const skipped = this.#skipped.get(plan) ?? skippedSteps(plan)
    this.#skipped.set(plan, skipped)
    return skipped.has(step)
  }

  /** True for a step whose result may be that of the same work in another job. */
  isMemoised(job: string, step: string): boolean {
    const steps = this.#plans.get(job)?.steps ?? []
    return steps.some(({ name, memoize }) => name === step && memoize !== undefined)
  }

  /** The job that this one was made after, and the step that it began with. */
  sourceOf(job: string): Source | undefined {
    return this.#sources.get(job)
  }

  /** Jobs that may have done a step for this one: itself, and what it may have taken over from. */
  doersOf(job: string, step: string): readonly string[] {
    const source = this.#sources.get(job)
    if (source?.from === undefined || this.isBehind(job, step, source.from)) return [job]
    return [job, ...this.doersOf(source.job, step)]
  }

  /** True for `from` itself, and for every step that needs it, however far away. */
  isBehind(job: string, step: string, from: string): boolean {
    if (step === from) return true
    const needs = this.get(job)?.steps.find(({ name }) => name === step)?.needs ?? []
    return needs.some((need) => this.isBehind(job, need, from))
  }
}

interface Source {
  readonly job: string
  /** Undefined: it began from the start. */
  readonly from: string | undefined
}
