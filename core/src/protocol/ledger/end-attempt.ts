import type { Json, RetryPlan } from '@gyre/jobs'
import { assert } from '../../base/assert.js'
import type { Prng } from '../../base/prng.js'
import { advance, failStep } from './advance.js'
import { backoffMs } from './backoff.js'
import type { AttemptOutcome, AttemptRef } from './command.js'
import type { EntryContext } from './entry-context.js'
import { onItemEnded, onUndoItemEnded } from './fan-out.js'
import type { JobEdit } from './job-edit.js'
import { ofAttempt } from './stop-job.js'
import { ended, isPoisoned, isRunning, type Settled, settle, type TaskState } from './task.js'
import { itemAt, placeTask, putItem, serviceOf, type TaskPlace, taskAt } from './task-rows.js'

export interface CurrentAttempt {
  readonly edit: JobEdit
  readonly place: TaskPlace
  readonly task: TaskState
}

/** The attempt's task, if this is its current attempt and has not ended; else it is stale. */
export function currentAttempt(context: EntryContext, ref: AttemptRef): CurrentAttempt | undefined {
  const edit = context.job(ref.job)
  const position = edit?.positionOf(ref.step)
  if (edit === undefined || position === undefined || edit.row.run !== ref.run) return undefined
  if ((edit.stepPlan(position).forEach === null) !== (ref.index === null)) return undefined
  const place: TaskPlace = { position, index: ref.index, hook: ref.hook }
  const task = taskAt(edit, place)
  if (task === null || task.attempt !== ref.attempt || !isRunning(task)) return undefined
  return { edit, place, task }
}

/** Ends a running attempt and draws every consequence: for its task, its step and its job. */
export function endAttempt(edit: JobEdit, place: TaskPlace, reported: AttemptOutcome): void {
  const task = taskAt(edit, place)
  assert(task !== null, 'only a running attempt ends')
  const end = settle(task, reported)
  const after = withMemo(taskAfter(edit, place, task, end), reported)
  placeTask(edit, place, after)
  noteEnd(edit, place, after, end)
  const source = after.phase === 'succeeded' ? after.newest?.memoizedFrom : undefined
  if (source !== undefined) {
    edit.note({ type: 'memoized', source, ...ofAttempt(edit, place, after.attempt) })
  }
  edit.patch({ endCount: edit.row.endCount + 1 })
  if (place.hook === 'run') {
    edit.patchStep(place.position, { endedOrder: edit.row.endCount })
    // JSON has no undefined: a report without an output gives null, as it would from a row.
    const isDone = reported.kind === 'succeeded' && end.outcome === 'succeeded'
    const output = isDone ? (reported.output ?? null) : null
    followRun(edit, place, { before: task, after, output })
  } else if (place.index !== null) {
    onUndoItemEnded(edit, place.position, after)
  }
  advance(edit)
}

/** What follows for the step when one of its tasks has ended an attempt, or could not start one. */
export function followRun(
  edit: JobEdit,
  place: TaskPlace,
  change: { readonly before: TaskState; readonly after: TaskState; readonly output: Json },
): void {
  const { position, index } = place
  const { after, output } = change
  const why = isPoisoned(after) ? 'poisoned' : 'failed'
  if (index !== null) {
    const item = itemAt(edit, position, index)
    if (item && after.phase === 'succeeded') putItem(edit, position, index, { ...item, output })
    const wasOpen = edit.step(position).phase === 'open'
    onItemEnded(edit, { position, index, hook: place.hook }, change)
    const { phase, error } = edit.step(position)
    if (wasOpen && phase === 'failed' && error !== null) failStep(edit, position, error, why)
    return
  }
  if (after.phase === 'succeeded') {
    edit.putOutput(position, { output })
    edit.patchStep(position, { phase: 'succeeded', error: null })
  } else if (after.phase === 'cancelled') {
    edit.patchStep(position, { phase: 'cancelled', error: after.error })
  } else if (after.phase === 'failed' && after.error !== null) {
    failStep(edit, position, after.error, why)
  }
}

/** Whose result the attempt was given instead of running. */
function withMemo(task: TaskState, reported: AttemptOutcome): TaskState {
  if (reported.kind !== 'succeeded' || reported.memoizedFrom === undefined) return task
  if (task.newest === null || task.phase !== 'succeeded') return task
  return { ...task, newest: { ...task.newest, memoizedFrom: reported.memoizedFrom } }
}

function taskAfter(edit: JobEdit, place: TaskPlace, task: TaskState, end: Settled): TaskState {
  const { context } = edit
  const { at } = context
  const policy = policyOf(edit, place)
  const { phase } = edit.row
  const mayRetry = place.hook === 'compensate' || phase === 'forward' || phase === 'failing'
  const after = ended(task, end, { at, policy, mayRetry })
  if (after.phase !== 'backoff') return after
  const prng = (): Prng => context.prng
  return { ...after, dueAt: at + backoffMs(policy, after.tries + after.losses, prng) }
}

function noteEnd(edit: JobEdit, place: TaskPlace, after: TaskState, end: Settled): void {
  const of = ofAttempt(edit, place, after.attempt)
  const { outcome, error } = end
  const { startedAt = 0, finishedAt = null } = after.newest ?? {}
  edit.context.tally?.attemptEnded(serviceOf(edit, place), outcome, (finishedAt ?? 0) - startedAt)
  const charged = outcome === 'lost' && !end.uncharged ? { lostAttempts: after.losses } : null
  const why = error === null ? null : { error }
  edit.note({ type: 'attempt_ended', outcome, ...of, ...charged, ...why })
  if (after.phase === 'backoff') edit.note({ type: 'retry_scheduled', until: after.dueAt, ...of })
}

function policyOf(edit: JobEdit, { position, hook }: TaskPlace): RetryPlan {
  const plan = edit.stepPlan(position)
  if (hook === 'run') return plan.retry
  assert(plan.compensate !== null, `step ${plan.name} has no compensation`)
  return plan.compensate.retry
}
