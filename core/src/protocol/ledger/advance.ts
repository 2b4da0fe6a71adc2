import type { JobError, StepPlan } from '@gyre/jobs'
import { advanceCompensation, beginCompensation } from './compensation.js'
import { openFan } from './fan-out.js'
import { finishJob, succeedJob } from './finish-job.js'
import type { JobEdit } from './job-edit.js'
import type { JobCause } from './job-row.js'
import { stopAll } from './stop-job.js'
import { newTask } from './task.js'
import { placeTask } from './task-rows.js'

/**
 * What follows for a job whenever something of it has changed:
 *
 * forward → (a step failed, or cancel) → stopping → (nothing runs) → compensating → ended
 *         → (all steps succeeded) → ended                          → ended (nothing to undo)
 */
export function advance(edit: JobEdit): void {
  if (edit.row.phase === 'forward') goForward(edit)
  if (edit.row.phase === 'stopping' && edit.row.running === 0) leaveStopping(edit)
  else if (edit.row.phase === 'compensating') advanceCompensation(edit)
}

/** Gives up all that goes forward. Whether steps are undone then is for `compensate` to say. */
export function beginStopping(
  edit: JobEdit,
  why: { readonly cause: JobCause; readonly error: JobError | null; readonly compensate: boolean },
): void {
  edit.patch({ phase: 'stopping', ...why })
  stopAll(edit)
}

/** Notes that a step has failed for good; `advance` draws the consequence for the job. */
export function failStep(
  edit: JobEdit,
  position: number,
  error: JobError,
  why: 'failed' | 'poisoned' = 'failed',
): void {
  const poisoned = why === 'poisoned' ? { poisoned: true } : {}
  edit.patchStep(position, { phase: 'failed', error, ...poisoned })
  edit.note({ type: 'step_failed', step: edit.stepPlan(position).name, error })
}

function goForward(edit: JobEdit): void {
  openSteps(edit)
  const failed = edit.steps.find(({ phase }) => phase === 'failed')
  if (failed !== undefined) {
    const cause = failed.poisoned === true ? 'poison' : 'failed'
    beginStopping(edit, { cause, error: failed.error, compensate: true })
    return
  }
  if (!edit.steps.every(({ phase }) => phase === 'succeeded')) return
  const error = succeedJob(edit)
  if (error !== null) beginStopping(edit, { cause: 'failed', error, compensate: true })
}

function leaveStopping(edit: JobEdit): void {
  if (edit.row.compensate && beginCompensation(edit)) advanceCompensation(edit)
  else finishJob(edit)
}

/**
 * Opens every step whose needs have succeeded. One pass is enough, although a `forEach` without items
 * succeeds at once: the plan's steps stand behind those that they need.
 */
function openSteps(edit: JobEdit): void {
  edit.steps.forEach((step, position) => {
    const plan = edit.stepPlan(position)
    if (step.phase === 'waiting' && areNeedsMet(edit, plan)) openStep(edit, position, plan)
  })
}

function areNeedsMet(edit: JobEdit, plan: StepPlan): boolean {
  return plan.needs.every((name) => {
    const position = edit.positionOf(name)
    return position !== undefined && edit.step(position).phase === 'succeeded'
  })
}

function openStep(edit: JobEdit, position: number, plan: StepPlan): void {
  if (plan.forEach !== null) {
    const error = openFan(edit, position)
    if (error !== null) failStep(edit, position, error)
    return
  }
  edit.patchStep(position, { phase: 'open' })
  placeTask(edit, { position, index: null, hook: 'run' }, newTask(edit.context.at))
}
