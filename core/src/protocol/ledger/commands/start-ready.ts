import type { JobError, Json } from '@gyre/jobs'
import { assert, broken } from '../../../base/assert.js'
import type { Instant } from '../../../base/ids.js'
import { advance } from '../advance.js'
import { formatAttemptId } from '../attempt-id.js'
import type { Grant } from '../command.js'
import { nextToUndo } from '../compensation.js'
import type { Dispatch } from '../../node/messages.js'
import { followRun } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import {
  onUndoItemEnded,
  queueItems,
  queueUndoItems,
  takeNextItem,
  takeNextUndoItem,
} from '../fan-out.js'
import { runBody, undoBody } from '../inputs.js'
import type { JobEdit } from '../job-edit.js'
import { endIfOverdue } from '../job-times.js'
import { memoKey } from '../memo-key.js'
import { ATTEMPTS_KEPT, READY_PAGE_ROWS } from '../limits.js'
import { type AttemptsRow, endOf, keys, type ReadyRow } from '../rows-layout.js'
import { ofAttempt } from '../stop-job.js'
import { failedToStart, newTask, started, type TaskState } from '../task.js'
import { taskId } from '../task-id.js'
import { attemptRef, placeTask, serviceOf, type TaskPlace, taskAt } from '../task-rows.js'

/**
 * Uses an entry's grant: starts ready tasks of the granted services in the order of the ready queue
 * (priority, ready since, task), at most as many as there are slots. The one way in which attempts
 * begin, so that a submission, a completion or a fired timer starts what it makes ready in the same
 * commit.
 */
export function startReady(context: EntryContext, grant: Grant): void {
  for (const service of Object.keys(grant.slots).sort()) {
    let slots = grant.slots[service] ?? 0
    while (slots > 0) {
      const used = startPage(context, grant, { service, slots })
      if (used === 'none-ready') break
      slots -= used
    }
  }
}

/**
 * Starts what one scan of the queue shows, as long as the queue stands as it showed it. A row may be gone
 * by the time its turn comes.
 */
function startPage(
  context: EntryContext,
  grant: Grant,
  { service, slots }: { readonly service: string; readonly slots: number },
): number | 'none-ready' {
  const prefix = keys.readyOf(service)
  const limit = Math.min(slots, READY_PAGE_ROWS)
  const page = context.rows.scan<ReadyRow>(prefix, endOf(prefix), limit)
  if (page.length === 0) return 'none-ready'
  const madeReady = context.madeReady.length
  let used = 0
  for (const { key } of page) {
    let row = context.rows.get<ReadyRow>(key)
    while (row !== undefined) {
      if (used === slots) return used
      const hasStarted = startFrom(context, grant, row)
      if (hasStarted) used += 1
      // What stood for one task is gone then, and a look for what is not there goes to the disk.
      const isUsedUp = hasStarted && row.count === 1
      const next = isUsedUp ? undefined : context.rows.get<ReadyRow>(key)
      // The next items of a fan may stand before the next row now, and so may what was made ready.
      const hasMoved = row.count > 1 || context.madeReady.length > madeReady
      if (next === undefined && hasMoved) return used
      row = next
    }
  }
  return used
}

/** @returns false when the task could not start and is ready no more, without using a slot */
function startFrom(context: EntryContext, grant: Grant, row: ReadyRow): boolean {
  const edit = context.job(row.job)
  const position = edit?.positionOf(row.step)
  if (edit === undefined || position === undefined) {
    broken(`ready task of no job: ${row.job} ${row.step}`)
  }
  const { hook } = row
  if (hook === 'run' && endIfOverdue(edit)) return false
  const place: TaskPlace = { position, index: indexFor(edit, position, row), hook }
  const task = taskAt(edit, place) ?? newTask(context.at)
  const make = hook === 'run' ? runBody : undoBody
  const made = make(edit, position, place.index)
  if (made.ok) startAttempt(edit, place, { task, grant, body: made.body })
  else refuseStart(edit, place, task, made.error)
  if (hook === 'run') queueItems(edit, position)
  else queueUndoItems(edit, position)
  if (!made.ok) advance(edit)
  return made.ok
}

function indexFor(edit: JobEdit, position: number, row: ReadyRow): number | null {
  if (row.index !== null || edit.stepPlan(position).forEach === null) return row.index
  return row.hook === 'run' ? takeNextItem(edit, position) : takeNextUndoItem(edit, position)
}

interface Start {
  readonly task: TaskState
  readonly grant: Grant
  readonly body: string
}

function startAttempt(edit: JobEdit, place: TaskPlace, { task, grant, body }: Start): void {
  const { context } = edit
  const { node, boot } = grant
  const number = task.attempt + 1
  const fence = Math.max(edit.row.fence + 1, context.version)
  const timeoutMs = timeoutOf(edit, place)
  keepEarlierAttempt(edit, place, task)
  if (place.index !== null) countItemAttempt(edit, place)
  const attempt = {
    attempt: number,
    node,
    boot,
    fence,
    startedAt: context.at,
    finishedAt: null,
    outcome: null,
    error: null,
  }
  placeTask(edit, place, started(task, attempt, context.at + timeoutMs))
  const isStart = edit.row.startedAt === null && edit.row.phase === 'forward'
  edit.patch(isStart ? { fence, startedAt: context.at } : { fence })
  if (isStart) context.tally?.jobStarted(context.at - startableAt(edit))
  edit.note({ type: 'attempt_started', node, fence, ...ofAttempt(edit, place, number) })
  const step = edit.stepPlan(place.position).name
  const { traceparent } = edit
  const dispatch: Dispatch = {
    kind: 'dispatch',
    arc: context.arc,
    index: context.index,
    attempt: formatAttemptId(attemptRef(edit, place, number)),
    service: serviceOf(edit, place),
    hook: callsHook(edit, place) ? 'compensate' : 'run',
    job: edit.id,
    task: taskId(context.hash, edit.id, step, place.index),
    step,
    item: place.index,
    number,
    fence,
    idempotencyKey: `${edit.id}:${step}:${place.index ?? '-'}:${place.hook}`,
    timeoutMs,
    next: nextServices(edit, place),
    body,
    ...(traceparent === undefined ? null : { traceparent }),
    ...memoOf(edit, place, body),
  }
  context.effects.push({ kind: 'started', node, boot, dispatch })
}

/** Since when the job has waited for its first attempt. */
function startableAt({ row }: JobEdit): Instant {
  return Math.max(row.createdAt, row.runAt ?? 0)
}

/** What tells this work from all other, where its result may be shared. */
function memoOf(edit: JobEdit, place: TaskPlace, body: string): Pick<Dispatch, 'memo'> | null {
  const { memoize, service } = edit.stepPlan(place.position)
  if (memoize === undefined || place.hook !== 'run') return null
  const { version } = memoize
  const { input }: { readonly input: Json } = JSON.parse(body)
  return { memo: { key: memoKey(edit.context.hash, service, version, input), version } }
}

/** The task ends before it began: its input cannot be made, and never can. */
function refuseStart(edit: JobEdit, place: TaskPlace, task: TaskState, error: JobError): void {
  const after = failedToStart(task, error)
  placeTask(edit, place, after)
  if (place.hook === 'run') followRun(edit, place, { before: task, after, output: null })
  else if (place.index !== null) onUndoItemEnded(edit, place.position, after)
}

/** The newest attempt stands in the task; when the next one starts, it joins the earlier ones. */
function keepEarlierAttempt(edit: JobEdit, place: TaskPlace, task: TaskState): void {
  if (task.newest === null) return
  const step = edit.stepPlan(place.position).name
  const keyOf = place.hook === 'run' ? keys.attempts : keys.undoAttempts
  const key = keyOf(edit.id, step, place.index)
  const earlier = edit.context.rows.get<AttemptsRow>(key)?.attempts ?? []
  const row: AttemptsRow = { attempts: [...earlier, task.newest].slice(1 - ATTEMPTS_KEPT) }
  edit.context.rows.put(key, row)
}

function countItemAttempt(edit: JobEdit, { position, hook }: TaskPlace): void {
  const { fan, undo } = edit.step(position)
  const counted = (hook === 'run' ? fan : undo?.fan)?.attemptCount ?? 0
  if (hook === 'run') edit.patchFan(position, { attemptCount: counted + 1 })
  else edit.patchUndoFan(position, { attemptCount: counted + 1 })
}

function timeoutOf(edit: JobEdit, { position, hook }: TaskPlace): number {
  const plan = edit.stepPlan(position)
  if (hook === 'run') return plan.timeoutMs
  assert(plan.compensate !== null, `step ${plan.name} has no compensation`)
  return plan.compensate.timeoutMs
}

/** True when the worker is to call the service's own `compensate` rather than a service's `run`. */
function callsHook(edit: JobEdit, { position, hook }: TaskPlace): boolean {
  return hook === 'compensate' && edit.stepPlan(position).compensate?.hook === true
}

/** Services of what may become ready when this task succeeds: a hint for the engine's grants. */
function nextServices(edit: JobEdit, place: TaskPlace): readonly string[] {
  const isAlone = edit.steps.length === 1 && place.index === null && place.hook === 'run'
  if (isAlone) return []
  const services = new Set<string>()
  if (place.index !== null) services.add(serviceOf(edit, place))
  if (place.hook === 'compensate') {
    const next = nextToUndo(edit.steps)
    if (next !== undefined) services.add(serviceOf(edit, { position: next, hook: 'compensate' }))
  } else if (isNearEnd(edit, place)) {
    const { name } = edit.stepPlan(place.position)
    for (const { needs, service } of edit.plan.steps) {
      if (needs.includes(name)) services.add(service)
    }
  }
  return [...services]
}

/** False for items behind which others have yet to start: the step cannot end with them. */
function isNearEnd(edit: JobEdit, { position }: TaskPlace): boolean {
  const { fan } = edit.step(position)
  return fan === null || fan.cursor === fan.total
}
