import type { StepPlan } from '@gyre/jobs'
import { type Checker, type Observation, Violation } from '../observation.js'
import { partsOf } from '../attempt-parts.js'
import { KnownPlans } from '../known-plans.js'
import { memoisedTask } from '../memoised-task.js'

/**
 * A step starts only when every step that it needs has succeeded: an attempt of that step reported so,
 * or of a `forEach` one of each item; in this job, or in one that it takes that over from. Where failed items count as results, none of them may still run;
 * that each has ended cannot be seen from outside, since one that is lost reports nothing.
 */
export class NeedsFirst implements Checker {
  readonly name = 'needs-first'
  readonly #plans = new KnownPlans()
  /** `job.step.index` of what reported success. */
  readonly #succeeded = new Set<string>()
  /** The same of what may still run. */
  readonly #alive = new Set<string>()

  observe(_at: number, observation: Observation): void {
    this.#plans.learn(observation)
    if (observation.kind === 'entry') {
      // Nobody reports what did not run.
      const task = memoisedTask(observation.entry.body)
      if (task !== null) this.#succeeded.add(task)
    } else if (observation.kind === 'reported') {
      const { task, isCompensation } = partsOf(observation.attempt)
      if (!isCompensation && observation.outcome.kind === 'succeeded') this.#succeeded.add(task)
    } else if (observation.kind === 'ceased') {
      this.#alive.delete(partsOf(observation.attempt).task)
    } else if (observation.kind === 'dispatched') {
      const { job, step, task, isCompensation } = partsOf(observation.dispatch.attempt)
      this.#alive.add(task)
      if (!isCompensation) this.#checkStart(observation.dispatch.attempt, job, step)
    }
  }

  #checkStart(attempt: string, job: string, step: string): void {
    const steps = this.#plans.get(job)?.steps ?? []
    const needs = steps.find(({ name }) => name === step)?.needs ?? []
    for (const need of steps.filter(({ name }) => needs.includes(name))) {
      if (this.#plans.isSkipped(job, need.name)) continue
      const open = this.#openTasks(job, need)
      if (open.length > 0)
        throw new Violation(this.name, `${attempt} was started before ${open.join(', ')} was done`)
    }
  }

  #openTasks(job: string, { name, forEach }: StepPlan): string[] {
    const indexes = forEach === null ? ['-'] : [...Array(itemCount(forEach.items)).keys()]
    const tasks = indexes.map((index) => `${job}.${name}.${index}`)
    if (forEach?.onItemError === 'continue') return tasks.filter((task) => this.#alive.has(task))
    const doers = this.#plans.doersOf(job, name)
    return tasks.filter((task) => {
      return !doers.some((doer) => this.#succeeded.has(task.replace(job, doer)))
    })
  }
}

/** The workload draws arrays and ranges. */
function itemCount(items: unknown): number {
  if (Array.isArray(items)) return items.length
  return typeof items === 'object' && items !== null && 'range' in items ? Number(items.range) : 0
}
