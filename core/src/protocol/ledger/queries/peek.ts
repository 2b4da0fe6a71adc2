import type { JsonObject } from '@gyre/jobs'
import { endOf, keys, type RecordRow, type RecordValueRow } from '../rows-layout.js'
import { planOf } from '../job-parts.js'
import type { ItemRow, JobRow } from '../job-row.js'
import { PEEK_HASHES_MAX, PEEK_JOBS_MAX } from '../limits.js'
import type { Reply } from '../outcome.js'
import { itemOfTask, taskId } from '../task-id.js'
import { toByteString } from '../text-bytes.js'
import { jobView, stepView } from '../views/job-view.js'
import { recordView } from '../views/record-view.js'
import { found, type ReadContext } from './found.js'
import { itemView } from './items.js'

/** Whatever stands under an ID in this arc. */
export function peekAnswer(context: ReadContext, id: string): Reply {
  const { rows, hash } = context
  const job = rows.get<JobRow>(keys.job(id))
  if (job !== undefined) return found({ kind: 'job', content: jobView(rows, hash, job) })
  const record = recordById(context, id)
  if (record !== null) return found({ kind: 'record', content: record })
  const task = taskById(context, id)
  if (task !== null) return found({ kind: 'task', content: task })
  return found({ kind: 'nothing', content: null })
}

function recordById({ rows }: ReadContext, id: string): JsonObject | null {
  const valueRow = rows.get<RecordValueRow>(keys.recordValue(id))
  if (valueRow === undefined) return null
  const row = rows.get<RecordRow>(keys.record(toByteString(valueRow.key)))
  return row === undefined ? null : recordView(row, valueRow)
}

/**
 * Tasks have no rows under their IDs: these are computed for the few jobs of the same place on the
 * ring until one matches. Both the jobs and the hashes are bounded.
 */
function taskById(context: ReadContext, id: string): JsonObject | null {
  const { rows, hash } = context
  const prefix = keys.job(id.slice(0, 4))
  let from = prefix
  let hashes = 0
  for (let count = 0; count < PEEK_JOBS_MAX; count += 1) {
    const [entry] = rows.scan<JobRow>(from, endOf(prefix), 1)
    if (entry === undefined) return null
    const jobKey = entry.key.slice(0, keys.job(id).length)
    from = endOf(jobKey)
    // Rows without their job are what is left of one that is being removed.
    if (entry.key !== jobKey) continue
    const job = entry.value
    const steps = planOf(rows, job)?.plan.steps ?? []
    for (const [position, { name, service }] of steps.entries()) {
      const total = job.steps[position]?.fan?.total
      if (hashes >= PEEK_HASHES_MAX) return null
      hashes += 2
      const isStep = taskId(hash, job.id, name, null) === id
      const item = itemOfTask(hash, id, { job: job.id, step: name })
      if (!isStep && (item === null || item >= (total ?? 0))) continue
      return taskView(context, { job, position, name, service, index: isStep ? null : item, id })
    }
  }
  return null
}

interface FoundTask {
  readonly job: JobRow
  readonly position: number
  readonly name: string
  readonly service: string
  readonly index: number | null
  readonly id: string
}

function taskView({ rows, hash }: ReadContext, task: FoundTask): JsonObject {
  const { job, position, name, service, index, id } = task
  const base = { task: id, job: job.id, step: name, service, index }
  if (index !== null) {
    const item = rows.get<ItemRow>(keys.item(job.id, name, index))
    return item === undefined
      ? base
      : { ...base, ...itemView(rows, { job: job.id, step: name, index, task: id }, item) }
  }
  const step = job.steps[position]
  const plan = planOf(rows, job)?.plan.steps[position]
  if (step === undefined) return base
  return { ...base, ...stepView(rows, hash, { row: job, step, position, plan }) }
}
