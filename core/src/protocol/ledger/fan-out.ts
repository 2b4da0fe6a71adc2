import type { ForEachPlan, Json, JobError } from '@gyre/jobs'
import { assert } from '../../base/assert.js'
import { fanSize } from './inputs.js'
import type { JobEdit } from './job-edit.js'
import { type FanState, type ItemRow, mustUndo, type UndoFan } from './job-row.js'
import { SCAN_PAGE_ROWS, VALUE_BYTES_MAX } from './limits.js'
import { readyName } from './ready-name.js'
import { endOf, keys, type OutputRow, type ReadyRow } from './rows-layout.js'
import { isActive, isPoisoned, type TaskState } from './task.js'
import { type TaskPlace, serviceOf } from './task-rows.js'
import { utf8Length } from './text-bytes.js'

/**
 * A `forEach` step: many tasks of one step, started in index order, at most `concurrency` of them
 * active at a time. Waiting items have no rows: the fan's cursor stands for them, and one row in the
 * ready queue for all that could start now. An item that waits for its next attempt keeps its place.
 */

/** Finds out how many items there are. @returns the error that fails the step instead */
export function openFan(edit: JobEdit, position: number): JobError | null {
  const size = fanSize(edit, position)
  if (!size.ok) return size.error
  edit.patchStep(position, {
    phase: 'open',
    fan: {
      total: size.total,
      cursor: 0,
      active: 0,
      succeeded: 0,
      failed: 0,
      mustUndo: 0,
      attemptCount: 0,
      outputBytes: 0,
      queued: 0,
      readyAt: edit.context.at,
    },
  })
  edit.note({ type: 'items_found', step: edit.stepPlan(position).name, count: size.total })
  queueItems(edit, position)
  closeFan(edit, position)
  return null
}

/** Brings the step's row in the ready queue up to date with how many items may start now. */
export function queueItems(edit: JobEdit, position: number): void {
  const { fan } = edit.step(position)
  if (fan === null) return
  const queued = startableItems(edit, position, fan)
  if (queued === fan.queued) return
  putReadyRow(edit, { position, index: null, hook: 'run' }, fan, queued)
  edit.patchFan(position, { queued })
}

function startableItems(edit: JobEdit, position: number, fan: FanState): number {
  if (edit.row.phase !== 'forward' || edit.step(position).phase !== 'open') return 0
  return Math.min(fan.total - fan.cursor, forEachPlan(edit, position).concurrency - fan.active)
}

/** As `queueItems`, for the items to be undone. */
export function queueUndoItems(edit: JobEdit, position: number): void {
  const fan = edit.step(position).undo?.fan
  if (!fan) return
  const { concurrency } = forEachPlan(edit, position)
  const mayStart = edit.row.phase === 'compensating' && fan.failed === 0
  const queued = mayStart ? Math.min(fan.left, concurrency - fan.active) : 0
  if (queued === fan.queued) return
  putReadyRow(edit, { position, index: null, hook: 'compensate' }, fan, queued)
  edit.patchUndoFan(position, { queued })
}

function putReadyRow(
  edit: JobEdit,
  place: TaskPlace,
  fan: { readonly queued: number; readonly readyAt: number },
  queued: number,
): void {
  const service = serviceOf(edit, place)
  const step = edit.stepPlan(place.position).name
  const name = `${edit.id}.${step}.*.${place.hook[0]}`
  const key = keys.ready(service, edit.row.priority, fan.readyAt, name)
  const row: ReadyRow = { job: edit.id, step, hook: place.hook, index: null, count: queued }
  if (queued > 0) edit.context.rows.put(key, row)
  else edit.context.rows.delete(key)
  edit.context.countReady(readyName(service, edit.row.priority), queued - fan.queued)
  edit.patch({ ready: edit.row.ready + queued - fan.queued })
}

/** Takes the next item off the fan. The caller places its task and then calls `queueItems`. */
export function takeNextItem(edit: JobEdit, position: number): number {
  const { fan } = edit.step(position)
  assert(fan !== null && fan.queued > 0, 'an item is taken off a fan that has none to start')
  edit.patchFan(position, { cursor: fan.cursor + 1, active: fan.active + 1 })
  return fan.cursor
}

/** The next item that must be undone. Counts items, so the walk over the others is done once. */
export function takeNextUndoItem(edit: JobEdit, position: number): number {
  const step = edit.step(position)
  const fan = step.undo?.fan
  assert(fan && step.fan !== null && fan.queued > 0, 'no item is left to undo')
  for (let index = fan.cursor; index < step.fan.cursor; index += 1) {
    if (!mustUndo(itemOf(edit, position, index).task)) continue
    edit.patchUndoFan(position, { cursor: index + 1, left: fan.left - 1, active: fan.active + 1 })
    return index
  }
  assert(false, `step ${position} of job ${edit.id} counts ${fan.left} items that do not exist`)
}

/** An item's attempt has ended; `before` and `after` are its task around that. */
export function onItemEnded(
  edit: JobEdit,
  place: TaskPlace & { readonly index: number },
  change: { readonly before: TaskState; readonly after: TaskState; readonly output: Json },
): void {
  const { position, index } = place
  const { fan } = edit.step(position)
  assert(fan !== null, 'an item ended of a step without items')
  const { before, after, output } = change
  const changes: Partial<FanState> = {
    mustUndo: fan.mustUndo + Number(mustUndo(after)) - Number(mustUndo(before)),
  }
  if (isActive(after)) {
    edit.patchFan(position, changes)
    return
  }
  const forEach = forEachPlan(edit, position)
  edit.patchFan(position, {
    ...changes,
    active: fan.active - 1,
    succeeded: fan.succeeded + (after.phase === 'succeeded' ? 1 : 0),
    failed: fan.failed + (after.phase === 'failed' ? 1 : 0),
    outputBytes: fan.outputBytes + collectedBytes(forEach, output),
  })
  const isOpen = edit.step(position).phase === 'open'
  // A poisoned item stops the step whatever that says: there may be more of its kind behind it.
  const endsStep = forEach.onItemError === 'fail' || isPoisoned(after)
  if (isOpen && after.phase === 'failed' && endsStep && after.error) {
    const error = { ...after.error, message: `item ${index}: ${after.error.message}` }
    edit.patchStep(position, { phase: 'failed', error })
  }
  queueItems(edit, position)
  closeFan(edit, position)
}

/** What the output adds to the collected array, its comma included. */
function collectedBytes(forEach: ForEachPlan, output: Json): number {
  return forEach.collect === 'array' ? utf8Length(JSON.stringify(output)) + 1 : 0
}

/** The step has succeeded once every item has come to its end. */
export function closeFan(edit: JobEdit, position: number): void {
  const { fan, phase } = edit.step(position)
  if (fan === null || phase !== 'open' || edit.row.phase !== 'forward') return
  if (fan.cursor < fan.total || fan.active > 0) return
  const { name } = edit.stepPlan(position)
  edit.context.rows.put(keys.output(edit.id, name), collect(edit, position, fan))
  edit.patchStep(position, { phase: 'succeeded', error: null })
  edit.note({ type: 'step_succeeded', step: name })
}

function collect(edit: JobEdit, position: number, fan: FanState): OutputRow {
  const { collect: what } = forEachPlan(edit, position)
  const counts = { count: fan.total, failed: fan.failed }
  if (what === 'none') return { output: null }
  if (what === 'count') return { output: counts }
  const { name } = edit.stepPlan(position)
  // Two brackets, and one comma less than members.
  if (fan.outputBytes + 1 > VALUE_BYTES_MAX) {
    const itemsUrl = `/v1/jobs/${edit.id}/steps/${name}/items`
    return { output: { ...counts, itemsUrl }, collapsed: true }
  }
  const output: Json[] = []
  for (const { item } of startedItems(edit, position)) output.push(item.output)
  return { output }
}

/** Items that were started, in index order. */
export function* startedItems(
  edit: JobEdit,
  position: number,
): Generator<{ readonly index: number; readonly item: ItemRow }> {
  const started = edit.step(position).fan?.cursor ?? 0
  const { name } = edit.stepPlan(position)
  const prefix = `${keys.job(edit.id)}/i/${name}/`
  for (let index = 0; index < started; ) {
    const from = keys.item(edit.id, name, index)
    const page = edit.context.rows.scan<ItemRow>(from, endOf(prefix), SCAN_PAGE_ROWS)
    assert(page.length > 0, `item ${index} of step ${name} of job ${edit.id} is missing`)
    for (const { value } of page) {
      yield { index, item: value }
      index += 1
    }
  }
}

export function forEachPlan(edit: JobEdit, position: number): ForEachPlan {
  const { forEach, name } = edit.stepPlan(position)
  assert(forEach !== null, `step ${name} of job ${edit.id} is no forEach`)
  return forEach
}

function itemOf(edit: JobEdit, position: number, index: number): ItemRow {
  const { name } = edit.stepPlan(position)
  const item = edit.context.rows.get<ItemRow>(keys.item(edit.id, name, index))
  assert(item !== undefined, `item ${index} of step ${name} of job ${edit.id} is missing`)
  return item
}

/** The undoing of a step's items, none of them started yet. */
export function newUndoFan(fan: FanState, at: number): UndoFan {
  return {
    cursor: 0,
    left: fan.mustUndo,
    active: 0,
    succeeded: 0,
    failed: 0,
    attemptCount: 0,
    queued: 0,
    readyAt: at,
  }
}

/** As `onItemEnded`, for an item's undoing. */
export function onUndoItemEnded(edit: JobEdit, position: number, after: TaskState): void {
  const fan = edit.step(position).undo?.fan
  assert(fan, 'an undone item of a step that is not undone')
  if (isActive(after)) return
  edit.patchUndoFan(position, {
    active: fan.active - 1,
    succeeded: fan.succeeded + (after.phase === 'succeeded' ? 1 : 0),
    failed: fan.failed + (after.phase === 'failed' ? 1 : 0),
  })
  if (after.phase === 'failed') edit.patchUndo(position, { error: after.error })
  queueUndoItems(edit, position)
}
