import { assert } from '../../base/assert.js'
import { newUndoFan, queueUndoItems } from './fan-out.js'
import { finishJob } from './finish-job.js'
import type { JobEdit } from './job-edit.js'
import { stepMustUndo, type StepState, type UndoState } from './job-row.js'
import { placeTask } from './task-rows.js'
import { isActive, newTask } from './task.js'

/**
 * Undoes the steps of a job that did or may have done something, newest end first, one step after
 * another (the items of one step side by side). Begun only when no attempt of the job runs, so that
 * no late action lands behind its own compensation.
 *
 * K1  every step that must be undone and has a hook ends undone, skipped by an operator, or failed
 * K2  at most one step is being undone, or has failed to be, at a time
 * K3  a step is undone only when all steps that ended after it are undone or skipped
 */

/** @returns false when there is nothing to undo */
export function beginCompensation(edit: JobEdit): boolean {
  assert(edit.row.running === 0, 'compensation begins while an attempt may still act')
  const order = edit.steps
    .map((step, position) => ({ step, position }))
    .filter(({ step, position }) => hasHook(edit, position) && stepMustUndo(step))
    .sort((a, b) => b.step.endedOrder - a.step.endedOrder)
  if (order.length === 0) return false
  for (const { position } of order) edit.patchStep(position, { undo: WAITING })
  edit.patch({ phase: 'compensating' })
  const steps = order.map(({ position }) => edit.stepPlan(position).name)
  edit.note({ type: 'compensation_started', steps })
  edit.context.tally?.compensationStarted()
  return true
}

/** Takes what has ended into account and goes on to the next step, or to the job's end. */
export function advanceCompensation(edit: JobEdit): void {
  const open = edit.steps.findIndex(({ undo }) => undo?.phase === 'open')
  if (open >= 0 && !closeUndo(edit, open)) return
  const next = nextToUndo(edit.steps)
  if (next === undefined) finishJob(edit)
  else openUndo(edit, next)
}

/** Position of the step to be undone next; undefined: none, or one has failed and stops the rest. */
export function nextToUndo(steps: readonly StepState[]): number | undefined {
  let next: number | undefined
  let order = -1
  for (const [position, { undo, endedOrder }] of steps.entries()) {
    if (undo?.phase === 'failed') return undefined
    if (undo?.phase !== 'waiting' || endedOrder <= order) continue
    next = position
    order = endedOrder
  }
  return next
}

function openUndo(edit: JobEdit, position: number): void {
  const { fan } = edit.step(position)
  if (fan === null) {
    edit.patchUndo(position, { phase: 'open' })
    placeTask(edit, { position, index: null, hook: 'compensate' }, newTask(edit.context.at))
    return
  }
  edit.patchUndo(position, { phase: 'open', fan: newUndoFan(fan, edit.context.at) })
  queueUndoItems(edit, position)
}

/** @returns false while the step is still being undone */
function closeUndo(edit: JobEdit, position: number): boolean {
  const { undo } = edit.step(position)
  assert(undo !== null, 'the step is being undone')
  const end = endOfUndo(undo)
  if (end === 'open') return false
  const step = edit.stepPlan(position).name
  const error = end === 'failed' ? (undo.task?.error ?? undo.error) : null
  edit.patchUndo(position, { phase: end, error })
  edit.context.tally?.stepUndone(end === 'failed' ? 'failed' : 'undone')
  if (error !== null) edit.note({ type: 'compensation_failed', step, error })
  else if (undo.fan !== null) edit.note({ type: 'step_compensated', step })
  return true
}

function endOfUndo({ task, fan }: UndoState): 'open' | 'succeeded' | 'failed' {
  if (task !== null) {
    if (isActive(task)) return 'open'
    return task.phase === 'succeeded' ? 'succeeded' : 'failed'
  }
  assert(fan !== null, 'an open undoing has a task or a fan')
  if (fan.active > 0) return 'open'
  if (fan.failed > 0) return 'failed'
  return fan.left > 0 ? 'open' : 'succeeded'
}

function hasHook(edit: JobEdit, position: number): boolean {
  return edit.stepPlan(position).compensate !== null
}

const WAITING: UndoState = { phase: 'waiting', task: null, fan: null, error: null, skipped: null }
