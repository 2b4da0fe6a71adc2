import type { Json, JsonObject } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import { planOf } from '../job-parts.js'
import type { JobRow } from '../job-row.js'
import { isRunning } from '../task.js'
import { progressView } from './attempt-view.js'
import { progressOf } from './job-progress.js'

/** What a job's running attempts have told so far, in short; items of a `forEach` stand for a number. */
export function activityView(rows: Rows, row: JobRow): JsonObject {
  const plans = planOf(rows, row)?.plan.steps ?? []
  const steps = row.steps.flatMap(({ task, undo }, position): Json[] => {
    const running = [task, undo?.task ?? null].find(isRunning)
    const progress = running?.newest?.progress
    if (progress === undefined) return []
    const name = plans[position]?.name ?? ''
    return [{ name, attempt: running?.attempt ?? 0, progress: progressView(progress) }]
  })
  return { progress: progressOf(row), steps, logLines: row.logs?.count ?? 0 }
}
