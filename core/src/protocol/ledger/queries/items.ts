import type { JsonObject } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import { jobNotFound, stepNotFound } from '../commands/refusals.js'
import { planOf } from '../job-parts.js'
import type { ItemRow, JobRow, StepState } from '../job-row.js'
import { ITEMS_PAGE_CHARS } from '../limits.js'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { keys } from '../rows-layout.js'
import { taskId } from '../task-id.js'
import { attemptsOf, errorView, taskStatus } from '../views/attempt-view.js'
import type { ReadContext } from './found.js'

/**
 * Items of a `forEach` by index, those that were never started included. A page ends at its limit, or
 * with the item that fills ITEMS_PAGE_CHARS: outputs may be large, and the answer is one text.
 */
export function itemsAnswer(context: ReadContext, query: ItemsQuery): Reply {
  const { rows, hash } = context
  const { id, step: name } = query
  const row = rows.get<JobRow>(keys.job(id))
  if (row === undefined) return jobNotFound(id)
  const step = stepOf(rows, row, name)
  if (step === undefined) return stepNotFound(id, name)
  if (step.takenFrom !== undefined) return itemsOfSource(context, query, step.takenFrom)
  const total = step.fan?.total ?? 0
  const from = Math.max(0, query.after + 1)
  const to = Math.min(total, from + query.limit)
  const items: string[] = []
  let chars = 0
  for (let index = from; index < to && chars < ITEMS_PAGE_CHARS; index += 1) {
    const item = rows.get<ItemRow>(keys.item(id, name, index))
    const place = { job: id, step: name, index, task: taskId(hash, id, name, index) }
    const text = JSON.stringify(item ? itemView(rows, place, item) : waitingItem(place, row, step))
    items.push(text)
    chars += text.length
  }
  const more = from + items.length < total
  return { ok: true, result: 'found', body: `{"items":[${items.join(',')}],"more":${more}}` }
}

type ItemsQuery = Extract<Query, { readonly kind: 'items' }>

/** The items stay with the job that worked on them, for as long as that is kept. */
function itemsOfSource(context: ReadContext, query: ItemsQuery, source: string): Reply {
  const reply = itemsAnswer(context, { ...query, id: source })
  if (reply.ok || reply.code !== 'job_not_found') return reply
  const message = `the items of step ${query.step} were those of job ${source}, which has been removed`
  return { ...reply, message }
}

function stepOf(rows: Rows, row: JobRow, name: string): StepState | undefined {
  const steps = planOf(rows, row)?.plan.steps ?? []
  return row.steps[steps.findIndex((step) => step.name === name)]
}

interface ItemPlace {
  readonly job: string
  readonly step: string
  readonly index: number
  readonly task: string
}

export function itemView(rows: Rows, place: ItemPlace, item: ItemRow): JsonObject {
  const { job, step, index, task } = place
  const { attempt, losses, error } = item.task
  return {
    index,
    status: taskStatus(item.task),
    output: item.output,
    error: errorView(error),
    task,
    attempts: attemptsOf(rows, keys.attempts(job, step, index), item.task),
    attemptCount: attempt,
    lostAttempts: losses,
    compensation: item.undo === null ? null : undoView(rows, place, item.undo),
  }
}

function undoView(
  rows: Rows,
  { job, step, index }: ItemPlace,
  undo: NonNullable<ItemRow['undo']>,
): JsonObject {
  return {
    status: taskStatus(undo),
    attempts: attemptsOf(rows, keys.undoAttempts(job, step, index), undo),
    attemptCount: undo.attempt,
    error: errorView(undo.error),
  }
}

function waitingItem({ index, task }: ItemPlace, row: JobRow, step: StepState): JsonObject {
  const mayStart = row.phase !== 'ended' && step.phase === 'open'
  return {
    index,
    status: mayStart ? 'waiting' : 'skipped',
    output: null,
    error: null,
    task,
    attempts: [],
    attemptCount: 0,
    lostAttempts: 0,
    compensation: null,
  }
}
