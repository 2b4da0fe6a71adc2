import { assert } from '../../base/assert.js'
import { formatAttemptId } from './attempt-id.js'
import { queueItems } from './fan-out.js'
import type { OfAttempt, ToldStop } from './history.js'
import type { JobEdit } from './job-edit.js'
import type { JobCause } from './job-row.js'
import { openItems } from './open-items.js'
import { attemptRef, placeTask, type TaskPlace, taskAt } from './task-rows.js'
import { isActive, type StopReason, stopped, type TaskState } from './task.js'

/**
 * Stops everything of a job that goes forward: what waits is given up, what runs is told to stop.
 * Running attempts end later, by their reports (T3); the job goes on from there (advance.ts).
 */
export function stopAll(edit: JobEdit): void {
  edit.steps.forEach((step, position) => {
    if (step.fan !== null) stopItems(edit, position)
    else if (step.task !== null) stopStep(edit, position, step.task)
  })
}

/** Tells a leased attempt to stop. Its timeout needs no timer any more. */
export function stopAttempt(edit: JobEdit, place: TaskPlace, reason: StopReason): void {
  const task = taskAt(edit, place)
  assert(task?.newest, 'an attempt is stopped that was never started')
  placeTask(edit, place, stopped(task, reason))
  const { attempt, node, boot } = task.newest
  const id = formatAttemptId(attemptRef(edit, place, attempt))
  const told = reason === 'timed_out' ? reason : stoppedWith(edit.row.cause)
  edit.note({ type: 'attempt_stopping', reason: told, ...ofAttempt(edit, place, attempt) })
  edit.context.effects.push({ kind: 'abort', node, boot, attempt: id, reason })
}

/** An attempt that is stopped before its time shares the fate of its job. */
function stoppedWith(cause: JobCause | null): ToldStop {
  if (cause === 'timed_out') return 'job_timed_out'
  return cause === 'failed' || cause === 'poison' ? 'job_failed' : 'cancelled'
}

/** How events name an attempt. */
export function ofAttempt(edit: JobEdit, place: TaskPlace, attempt: number): OfAttempt {
  const step = edit.stepPlan(place.position).name
  const { index, hook } = place
  if (index === null && hook === 'run') return { step, attempt }
  return {
    step,
    ...(index === null ? {} : { index }),
    ...(hook === 'compensate' ? { hook } : {}),
    attempt,
  }
}

function stopStep(edit: JobEdit, position: number, task: TaskState): void {
  const place: TaskPlace = { position, index: null, hook: 'run' }
  const state = stopTask(edit, place, task)
  if (state !== 'given-up') return
  // A step that never ran is as if it had never been opened: an operator's retry opens it again.
  const untouched = task.attempt === 0
  edit.patchStep(position, untouched ? { phase: 'waiting', task: null } : { phase: 'cancelled' })
}

function stopItems(edit: JobEdit, position: number): void {
  const { fan, phase } = edit.step(position)
  if (fan === null || phase === 'succeeded') return
  if (phase === 'open') edit.patchStep(position, { phase: 'cancelled' })
  queueItems(edit, position)
  if (fan.cursor === 0) {
    edit.patchStep(position, { phase: 'waiting', fan: null })
    return
  }
  if (fan.active === 0) return
  let active = fan.active
  for (const { index, item } of openItems(edit, position)) {
    const state = stopTask(edit, { position, index, hook: 'run' }, item.task)
    if (state === 'given-up') active -= 1
  }
  edit.patchFan(position, { active })
}

function stopTask(
  edit: JobEdit,
  place: TaskPlace,
  task: TaskState,
): 'ended-before' | 'stopping' | 'given-up' {
  if (!isActive(task)) return 'ended-before'
  if (task.phase === 'stopping') return 'stopping'
  if (task.phase === 'leased') {
    stopAttempt(edit, place, 'cancelled')
    return 'stopping'
  }
  placeTask(edit, place, { ...task, phase: 'cancelled' })
  return 'given-up'
}
