import { assert } from '../../base/assert.js'
import { formatAttemptId } from './attempt-id.js'
import type { AttemptRef } from './command.js'
import type { JobEdit } from './job-edit.js'
import type { ItemRow } from './job-row.js'
import { indexItem } from './open-items.js'
import { readyName } from './ready-name.js'
import { type AttemptTimerRow, keys, type ReadyRow } from './rows-layout.js'
import { assertMayBecome, isRunning, type TaskState } from './task.js'

/**
 * The one place where a task changes its phase, so that what must agree with it always does:
 *
 * - ready     ⇔ a row in the ready queue
 * - leased    ⇔ a timer row for its timeout
 * - backoff   ⇔ a timer row for its next attempt
 * - leased or stopping ⇔ a lease row under its worker, and the job's `running`
 */

/** Which task of a job: its own step's, an item's, or the undoing of one of them. */
export interface TaskPlace {
  /** Position of the step in the plan. */
  readonly position: number
  /** Item index; null for a step without `forEach`. */
  readonly index: number | null
  readonly hook: 'run' | 'compensate'
}

export function taskAt(edit: JobEdit, place: TaskPlace): TaskState | null {
  const { task, undo } = edit.step(place.position)
  if (place.index === null) return place.hook === 'run' ? task : (undo?.task ?? null)
  const item = itemAt(edit, place.position, place.index)
  return (place.hook === 'run' ? item?.task : item?.undo) ?? null
}

export function itemAt(edit: JobEdit, position: number, index: number): ItemRow | undefined {
  return edit.context.rows.get<ItemRow>(keys.item(edit.id, edit.stepPlan(position).name, index))
}

export function putItem(edit: JobEdit, position: number, index: number, item: ItemRow): void {
  edit.context.rows.put(keys.item(edit.id, edit.stepPlan(position).name, index), item)
}

/** Puts a task into its next state, with all that follows from it. */
export function placeTask(edit: JobEdit, place: TaskPlace, next: TaskState): void {
  const previous = taskAt(edit, place)
  if (previous?.phase === next.phase) return storeTask(edit, place, next)
  const attempt = newestAttempt(edit, place, next)
  if (previous !== null) {
    assertMayBecome(previous.phase, next.phase)
    leavePhase(edit, place, previous, attempt)
  }
  storeTask(edit, place, next)
  enterPhase(edit, place, next, attempt)
  updateLease(edit, previous, next, attempt)
}

/** What the timers and leases of one change are of; their keys are made of its ID. */
interface NamedAttempt {
  readonly ref: AttemptRef
  readonly id: string
}

/** Of a task after its change, and before it, where there was one then; null: it was never started. */
function newestAttempt(edit: JobEdit, place: TaskPlace, task: TaskState): NamedAttempt | null {
  if (task.attempt === 0) return null
  const ref = attemptRef(edit, place, task.attempt)
  return { ref, id: formatAttemptId(ref) }
}

/** Name of the task in keys, unique in an arc. */
export function taskName(edit: JobEdit, place: TaskPlace): string {
  const index = place.index === null ? '-' : String(place.index)
  return `${edit.id}.${edit.stepPlan(place.position).name}.${index}.${place.hook[0]}`
}

export function attemptRef(edit: JobEdit, place: TaskPlace, attempt: number): AttemptRef {
  const { position, index, hook } = place
  const step = edit.stepPlan(position).name
  return { job: edit.id, run: edit.row.run, step, index, hook, attempt }
}

/** The service that a task runs on. */
export function serviceOf(edit: JobEdit, { position, hook }: Omit<TaskPlace, 'index'>): string {
  const plan = edit.stepPlan(position)
  if (hook === 'run') return plan.service
  assert(plan.compensate !== null, `step ${plan.name} has no compensation`)
  return plan.compensate.service
}

function storeTask(edit: JobEdit, place: TaskPlace, task: TaskState): void {
  const { position, index, hook } = place
  if (index === null) {
    if (hook === 'run') edit.patchStep(position, { task })
    else edit.patchUndo(position, { task })
    return
  }
  const before = itemAt(edit, position, index)
  const item = before ?? { task, undo: null, output: null }
  assert(hook === 'run' || before !== undefined, 'an item is undone that was never started')
  const after = hook === 'run' ? { ...item, task } : { ...item, undo: task }
  putItem(edit, position, index, after)
  indexItem(edit, { position, index }, { before, after })
}

function leavePhase(
  edit: JobEdit,
  place: TaskPlace,
  task: TaskState,
  attempt: NamedAttempt | null,
): void {
  const { context } = edit
  if (task.phase === 'ready') {
    const service = serviceOf(edit, place)
    context.rows.delete(readyKey(edit, place, service, task))
    context.countReady(readyName(service, edit.row.priority), -1)
    edit.patch({ ready: edit.row.ready - 1 })
  } else if (task.phase === 'leased' || task.phase === 'backoff') {
    context.rows.delete(timerKey(task, attempt))
    context.noteTimersChanged()
  }
}

function enterPhase(
  edit: JobEdit,
  place: TaskPlace,
  task: TaskState,
  attempt: NamedAttempt | null,
): void {
  const { context } = edit
  if (task.phase === 'ready') {
    const service = serviceOf(edit, place)
    const step = edit.stepPlan(place.position).name
    const { hook, index } = place
    const row: ReadyRow = { job: edit.id, step, hook, index, count: 1 }
    context.rows.insert(readyKey(edit, place, service, task), row)
    context.countReady(readyName(service, edit.row.priority), 1)
    context.noteReady(edit, place)
    edit.patch({ ready: edit.row.ready + 1 })
  } else if (task.phase === 'leased' || task.phase === 'backoff') {
    assert(attempt !== null, 'a task has a timer without an attempt')
    const kind = task.phase === 'leased' ? 'timeout' : 'retry'
    const row: AttemptTimerRow = { kind, attempt: attempt.ref }
    context.rows.insert(timerKey(task, attempt), row)
    context.noteTimersChanged()
  }
}

function updateLease(
  edit: JobEdit,
  previous: TaskState | null,
  next: TaskState,
  attempt: NamedAttempt | null,
): void {
  if (isRunning(previous) === isRunning(next)) return
  assert(next.newest !== null && attempt !== null, 'a task runs or ran without an attempt')
  const key = keys.lease(next.newest.node, next.newest.boot, attempt.id)
  if (isRunning(next)) edit.context.rows.insert(key, attempt.ref)
  else edit.context.rows.delete(key)
  edit.patch({ running: edit.row.running + (isRunning(next) ? 1 : -1) })
}

function readyKey(edit: JobEdit, place: TaskPlace, service: string, task: TaskState): string {
  return keys.ready(service, edit.row.priority, task.dueAt, taskName(edit, place))
}

function timerKey({ dueAt }: TaskState, attempt: NamedAttempt | null): string {
  assert(attempt !== null, 'a task has a timer without an attempt')
  return keys.timer(dueAt, attempt.id)
}
