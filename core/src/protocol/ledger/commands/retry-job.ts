import { advance } from '../advance.js'
import { recallCall, rememberCall } from '../call-keys.js'
import { collectedBytes } from '../collected-output.js'
import type { RetryCommand } from '../command.js'
import { advanceCompensation } from '../compensation.js'
import type { EntryContext } from '../entry-context.js'
import { closeFan, queueItems, queueUndoItems } from '../fan-out.js'
import type { JobEdit } from '../job-edit.js'
import { renewedLimit } from '../job-times.js'
import { openItems } from '../open-items.js'
import type { Applied } from '../outcome.js'
import { isPoisoned, readyAgain } from '../task.js'
import { placeTask, type TaskPlace, taskAt } from '../task-rows.js'
import { jobNotFound } from './refusals.js'

/**
 * An operator's second chance. A failed job begins a new run: outputs of succeeded steps stay, the
 * rest runs with fresh budgets. After a failed compensation that compensation runs again, in the
 * same run.
 */
export function retryJob(context: EntryContext, command: RetryCommand): Applied {
  const { id, idempotency } = command
  const edit = context.job(id)
  if (edit === undefined) return jobNotFound(id)
  const call = recallCall(context, idempotency)
  if (call === 'repeated') return { ok: true, result: 'replayed', shows: { kind: 'job', id } }
  if (call !== 'new') return call
  const { status, isGivenUp } = edit.row
  if (isGivenUp === true) return givenUp(id)
  if (status === 'failed') retryRun(edit)
  else if (status === 'compensation_failed') retryCompensation(edit)
  else return nothingToRetry(id, status)
  rememberCall(context, idempotency)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}

function nothingToRetry(id: string, status: string): Applied {
  const message = `job ${id} is ${status}; only failed and compensation_failed jobs can be retried`
  return { ok: false, code: 'nothing_to_retry', message }
}

/** Steps that could not be undone are people's business now: running others again would add to it. */
function givenUp(id: string): Applied {
  const message = `job ${id} was ended by an operator with a compensation that had failed; submit it again as a new job`
  return { ok: false, code: 'nothing_to_retry', message }
}

function retryRun(edit: JobEdit): void {
  const run = edit.row.run + 1
  const reset = {
    cause: null,
    failedStep: null,
    compensate: false,
    error: null,
    finishedAt: null,
  } as const
  edit.patch({ ...reset, ...renewedLimit(edit.row, edit.context.at), run, phase: 'forward' })
  edit.note({ type: 'job_retried', run })
  edit.steps.forEach((step, position) => {
    if (step.onFailure === true) return resetFailureStep(edit, position)
    if (step.phase !== 'failed' && step.phase !== 'cancelled') return
    if (step.poisoned === true) edit.patchStep(position, { poisoned: false })
    if (step.fan !== null) reopenItems(edit, position)
    else if (step.task !== null) reopenStep(edit, position)
    else edit.patchStep(position, { phase: 'waiting', error: null })
  })
  advance(edit)
}

/** The new run may fail as well. */
function resetFailureStep(edit: JobEdit, position: number): void {
  edit.dropOutput(position)
  const { task } = edit.step(position)
  // Whatever it did in this run, it will do again: its attempts go on counting.
  const again = task === null ? null : { ...task, phase: 'cancelled' as const }
  edit.patchStep(position, { phase: 'waiting', task: again, error: null })
}

function reopenStep(edit: JobEdit, position: number): void {
  edit.patchStep(position, { phase: 'open', error: null })
  makeReady(edit, { position, index: null, hook: 'run' })
}

/**
 * Items that were given up run again; so do failed ones, unless the step counts failures as results.
 * They are at most as many as the step's concurrency, since each held one of its places.
 */
function reopenItems(edit: JobEdit, position: number): void {
  edit.patchStep(position, { phase: 'open', error: null })
  // Budgets are a run's, and those of the items that run again are fresh.
  edit.patchFan(position, { losses: 0 })
  const again = edit.stepPlan(position).forEach?.onItemError === 'fail'
  for (const { index, item } of openItems(edit, position)) {
    const { phase } = item.task
    if (phase !== 'cancelled' && !(phase === 'failed' && (again || isPoisoned(item.task)))) continue
    const { fan } = edit.step(position)
    edit.patchFan(position, { active: (fan?.active ?? 0) + 1 })
    if (phase === 'failed') takeBackFailure(edit, position)
    makeReady(edit, { position, index, hook: 'run' })
  }
  queueItems(edit, position)
  closeFan(edit, position)
}

/** What the item gives will be counted when it ends anew. */
function takeBackFailure(edit: JobEdit, position: number): void {
  const { fan } = edit.step(position)
  const { forEach } = edit.stepPlan(position)
  if (fan === null || forEach === null) return
  const outputBytes = fan.outputBytes - collectedBytes(forEach, null)
  edit.patchFan(position, { failed: fan.failed - 1, outputBytes })
}

function retryCompensation(edit: JobEdit): void {
  edit.patch({ phase: 'compensating', finishedAt: null })
  edit.note({ type: 'compensation_retried' })
  edit.steps.forEach(({ undo }, position) => {
    if (undo?.phase !== 'failed') return
    edit.patchUndo(position, { phase: 'open', error: null })
    if (undo.task === null) reopenUndoItems(edit, position)
    else makeReady(edit, { position, index: null, hook: 'compensate' })
  })
  advanceCompensation(edit)
}

function reopenUndoItems(edit: JobEdit, position: number): void {
  const failed: number[] = []
  for (const { index, item } of openItems(edit, position)) {
    if (item.undo?.phase === 'failed') failed.push(index)
  }
  edit.patchUndoFan(position, { active: failed.length, failed: 0 })
  for (const index of failed) makeReady(edit, { position, index, hook: 'compensate' })
  queueUndoItems(edit, position)
}

function makeReady(edit: JobEdit, place: TaskPlace): void {
  const task = taskAt(edit, place)
  if (task !== null) placeTask(edit, place, readyAgain(task, edit.context.at, 'fresh'))
}
