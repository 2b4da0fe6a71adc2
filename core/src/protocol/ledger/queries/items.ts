import type { JsonObject } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import { jobNotFound, stepNotFound } from '../commands/refusals.js'
import type { ItemRow, JobRow, StepState } from '../job-row.js'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { keys, type PlanRow } from '../rows-layout.js'
import { taskId } from '../task-id.js'
import { attemptView, errorView, taskStatus } from '../views/attempt-view.js'
import { found, type ReadContext } from './found.js'

/** Items of a `forEach` by index, those that were never started included. */
export function itemsAnswer(
  { rows, hash }: ReadContext,
  query: Extract<Query, { readonly kind: 'items' }>,
): Reply {
  const { id, step: name } = query
  const row = rows.get<JobRow>(keys.job(id))
  if (row === undefined) return jobNotFound(id)
  const step = stepOf(rows, row, name)
  if (step === undefined) return stepNotFound(id, name)
  const total = step.fan?.total ?? 0
  const from = Math.max(0, query.after + 1)
  const to = Math.min(total, from + query.limit)
  const items: JsonObject[] = []
  for (let index = from; index < to; index += 1) {
    const item = rows.get<ItemRow>(keys.item(id, name, index))
    const task = taskId(hash, id, name, index)
    items.push(item ? itemView(index, task, item) : waitingItem(index, task, row))
  }
  return found({ items, more: to < total })
}

function stepOf(rows: Rows, row: JobRow, name: string): StepState | undefined {
  const steps = rows.get<PlanRow>(keys.plan(row.id))?.plan.steps ?? []
  return row.steps[steps.findIndex((step) => step.name === name)]
}

export function itemView(index: number, task: string, item: ItemRow): JsonObject {
  const { newest, attempt, error } = item.task
  return {
    index,
    status: taskStatus(item.task),
    output: item.output,
    error: errorView(error),
    task,
    attempts: newest === null ? [] : [attemptView(newest)],
    attemptCount: attempt,
    compensation: item.undo === null ? null : undoView(item.undo),
  }
}

function undoView(undo: NonNullable<ItemRow['undo']>): JsonObject {
  const { newest, attempt, error } = undo
  return {
    status: taskStatus(undo),
    attempts: newest === null ? [] : [attemptView(newest)],
    attemptCount: attempt,
    error: errorView(error),
  }
}

function waitingItem(index: number, task: string, row: JobRow): JsonObject {
  return {
    index,
    status: row.phase === 'ended' ? 'skipped' : 'waiting',
    output: null,
    error: null,
    task,
    attempts: [],
    attemptCount: 0,
    compensation: null,
  }
}
