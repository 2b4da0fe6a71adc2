import type { JobError, StepPlan } from '@gyre/jobs'
import { advanceCompensation, beginCompensation } from './compensation.js'
import { openFan } from './fan-out.js'
import { finishJob, succeedJob } from './finish-job.js'
import { conditionHolds } from './inputs.js'
import type { JobEdit } from './job-edit.js'
import { isDone, type JobCause, type StepPhase } from './job-row.js'
import { stopAll } from './stop-job.js'
import { newTask, readyAgain } from './task.js'
import { placeTask } from './task-rows.js'

/**
 * What follows for a job whenever something of it has changed:
 *
 * forward → (a step failed, or cancel) → stopping → (nothing runs) → failing → compensating → ended
 *         → (all steps are done) → ended                           → ended (nothing to undo)
 *
 * `failing` only where there are steps for it, and not when the job was cancelled.
 */
export function advance(edit: JobEdit): void {
  if (edit.row.phase === 'forward') goForward(edit)
  else if (edit.row.phase === 'failing') goFailing(edit)
  if (edit.row.phase === 'stopping' && edit.row.running === 0) leaveStopping(edit)
  else if (edit.row.phase === 'compensating') advanceCompensation(edit)
}

export interface Why {
  readonly cause: JobCause
  readonly error: JobError | null
  readonly compensate: boolean
  /** Absent: no step did. */
  readonly failedStep?: string
}

/** Gives up all that goes forward. Whether steps are undone then is for `compensate` to say. */
export function beginStopping(edit: JobEdit, why: Why): void {
  edit.patch({ phase: 'stopping', failedStep: null, ...why })
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
  const failed = edit.steps.findIndex(({ phase }) => phase === 'failed')
  if (failed >= 0) {
    const { poisoned, error } = edit.step(failed)
    const cause = poisoned === true ? 'poison' : 'failed'
    const { name } = edit.stepPlan(failed)
    beginStopping(edit, { cause, error, compensate: true, failedStep: name })
    return
  }
  if (!edit.steps.every((step) => step.onFailure === true || isDone(step))) return
  const error = succeedJob(edit)
  if (error !== null) beginStopping(edit, { cause: 'failed', error, compensate: true })
}

function leaveStopping(edit: JobEdit): void {
  const waiting = edit.steps.flatMap(({ onFailure, phase }, position) =>
    onFailure === true && phase === 'waiting' ? [edit.stepPlan(position).name] : [],
  )
  if (edit.row.cause === 'cancelled' || waiting.length === 0) return leaveFailing(edit)
  edit.patch({ phase: 'failing' })
  edit.note({ type: 'failure_steps_started', steps: waiting })
  goFailing(edit)
}

/** What one of these steps does wrong is its own affair: the job has failed already. */
function goFailing(edit: JobEdit): void {
  openSteps(edit)
  const isOver = edit.steps.every(
    ({ onFailure, phase }) => onFailure !== true || (phase !== 'waiting' && phase !== 'open'),
  )
  if (isOver) leaveFailing(edit)
}

function leaveFailing(edit: JobEdit): void {
  if (edit.row.compensate && beginCompensation(edit)) advanceCompensation(edit)
  else finishJob(edit)
}

/**
 * Opens every step whose needs are met. One pass is enough, although a step may be done at once (a
 * `forEach` without items, one that is skipped): the plan's steps stand behind those that they need.
 */
function openSteps(edit: JobEdit): void {
  const isFailing = edit.row.phase === 'failing'
  edit.steps.forEach(({ phase, onFailure = false }, position) => {
    if (phase !== 'waiting' || onFailure !== isFailing) return
    const chance = chanceOf(edit, position)
    if (chance.kind === 'run') openStep(edit, position, edit.stepPlan(position))
    else if (chance.kind === 'fail') failStep(edit, position, chance.error)
    else if (chance.kind === 'skip') skipStep(edit, position, chance.need)
  })
}

type Chance =
  | { readonly kind: 'run' | 'wait' }
  /** `need`: the step without which it cannot run; null: its condition is not met. */
  | { readonly kind: 'skip'; readonly need: string | null }
  | { readonly kind: 'fail'; readonly error: JobError }

function chanceOf(edit: JobEdit, position: number): Chance {
  const { needs, onSkippedNeed = 'skip', onFailure = false } = edit.stepPlan(position)
  let waits = false
  for (const need of needs) {
    const phase = phaseOf(edit, need)
    // Any other step waits: the job is about to stop, and the next run begins with what failed.
    const isLost = onFailure && (phase === 'failed' || phase === 'cancelled')
    if (isLost || (phase === 'skipped' && onSkippedNeed === 'skip')) return { kind: 'skip', need }
    if (phase !== 'succeeded' && phase !== 'skipped') waits = true
  }
  if (waits) return { kind: 'wait' }
  const holds = conditionHolds(edit, position)
  if (!holds.ok) return { kind: 'fail', error: holds.error }
  return holds.value ? { kind: 'run' } : { kind: 'skip', need: null }
}

function phaseOf(edit: JobEdit, name: string): StepPhase | undefined {
  const position = edit.positionOf(name)
  return position === undefined ? undefined : edit.step(position).phase
}

function skipStep(edit: JobEdit, position: number, need: string | null): void {
  edit.patchStep(position, { phase: 'skipped' })
  const { name } = edit.stepPlan(position)
  edit.note({ type: 'step_skipped', step: name, ...(need === null ? {} : { need }) })
}

function openStep(edit: JobEdit, position: number, plan: StepPlan): void {
  if (plan.forEach !== null) {
    const error = openFan(edit, position)
    if (error !== null) failStep(edit, position, error)
    return
  }
  edit.patchStep(position, { phase: 'open' })
  const { task } = edit.step(position)
  const { at } = edit.context
  const next = task === null ? newTask(at) : readyAgain(task, at, 'fresh')
  placeTask(edit, { position, index: null, hook: 'run' }, next)
}
