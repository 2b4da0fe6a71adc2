import type { JsonObject } from '@gyre/jobs'
import { isDone, type JobRow, type StepState } from '../job-row.js'

/**
 * How far a job is. Steps are counted, but for those that run only when it has failed, and items one by one once a `forEach` knows how many it has. A
 * job of one step without items is as far as its handler says, where that says of how much.
 */
export function progressOf(row: JobRow): JsonObject {
  const [only] = row.steps
  const told = row.steps.length === 1 && only !== undefined ? toldProgress(only) : null
  if (told !== null) return told
  let done = 0
  let total = 0
  for (const step of row.steps) {
    const { fan, phase } = step
    if (step.onFailure === true) continue
    total += fan?.total ?? 1
    if (fan === null) done += isDone(step) ? 1 : 0
    else done += phase === 'succeeded' ? fan.total : fan.succeeded
  }
  return { done, total }
}

function toldProgress({ phase, task }: StepState): JsonObject | null {
  const { done, total } = task?.newest?.progress ?? {}
  if (done === undefined || total === undefined) return null
  return { done: phase === 'succeeded' ? total : Math.min(done, total), total }
}
