import type { ForEachPlan, Json, JobError } from '@gyre/jobs'
import { assert } from '../../base/assert.js'
import type { Instant } from '../../base/ids.js'
import { collect, collectedBytes, exceedsArray, keepCollected } from './collected-output.js'
import { fanSize } from './inputs.js'
import type { JobEdit } from './job-edit.js'
import { type FanState, type FanTurn, mustUndo, type UndoFan } from './job-row.js'
import { nextItemToUndo } from './open-items.js'
import { readyName } from './ready-name.js'
import { keys, type ReadyRow } from './rows-layout.js'
import { isActive, isPoisoned, type TaskState } from './task.js'
import { type TaskPlace, serviceOf } from './task-rows.js'

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
      indexed: true,
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
  const turn = nextTurn(fan, queued, edit.context.at)
  putReadyRow(edit, { position, index: null, hook: 'run' }, { fan, queued, turn })
  edit.patchFan(position, { queued, ...turn })
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
  const turn = nextTurn(fan, queued, edit.context.at)
  putReadyRow(edit, { position, index: null, hook: 'compensate' }, { fan, queued, turn })
  edit.patchUndoFan(position, { queued, ...turn })
}

/**
 * When the first of a fan's ready items became ready. An item is ready once a place is free for it, so
 * each row of items that were ready together is followed by those whose places became free meanwhile:
 * a fan of 100,000 does not stay as old as its first item, and overtakes nobody.
 */
function nextTurn(
  fan: FanTurn & { readonly queued: number },
  queued: number,
  at: Instant,
): FanTurn {
  const { readyAt } = fan
  const together = Math.min(fan.together ?? fan.queued, queued)
  const followAt = queued > together ? (fan.followAt ?? at) : null
  if (together > 0 || queued === 0) return { readyAt, together, followAt }
  return { readyAt: followAt ?? at, together: queued, followAt: null }
}

function putReadyRow(
  edit: JobEdit,
  place: TaskPlace,
  change: {
    readonly fan: FanTurn & { readonly queued: number }
    readonly queued: number
    readonly turn: FanTurn
  },
): void {
  const { fan, queued, turn } = change
  const service = serviceOf(edit, place)
  const step = edit.stepPlan(place.position).name
  const name = `${edit.id}.${step}.*.${place.hook[0]}`
  const keyAt = (readyAt: Instant): string => keys.ready(service, edit.row.priority, readyAt, name)
  const row: ReadyRow = { job: edit.id, step, hook: place.hook, index: null, count: queued }
  const hasLeft = fan.queued > 0 && (queued === 0 || turn.readyAt !== fan.readyAt)
  if (hasLeft) edit.context.rows.delete(keyAt(fan.readyAt))
  if (queued > 0) edit.context.rows.put(keyAt(turn.readyAt), row)
  edit.context.countReady(readyName(service, edit.row.priority), queued - fan.queued)
  if (queued > fan.queued) edit.context.noteReady(edit, place)
  edit.patch({ ready: edit.row.ready + queued - fan.queued })
}

/** Takes the next item off the fan. The caller places its task and then calls `queueItems`. */
export function takeNextItem(edit: JobEdit, position: number): number {
  const { fan } = edit.step(position)
  assert(fan !== null && fan.queued > 0, 'an item is taken off a fan that has none to start')
  const taken = { active: fan.active + 1, together: fewerTogether(fan) }
  edit.patchFan(position, { cursor: fan.cursor + 1, ...taken })
  return fan.cursor
}

/** Takes the next item that must be undone off the fan. */
export function takeNextUndoItem(edit: JobEdit, position: number): number {
  const fan = edit.step(position).undo?.fan
  assert(fan && fan.queued > 0, 'no item is left to undo')
  const index = nextItemToUndo(edit, position, fan.cursor)
  const taken = { left: fan.left - 1, active: fan.active + 1, together: fewerTogether(fan) }
  edit.patchUndoFan(position, { cursor: index + 1, ...taken })
  return index
}

function fewerTogether(fan: FanTurn & { readonly queued: number }): number {
  return Math.max(0, (fan.together ?? fan.queued) - 1)
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
    ...(after.losses > (fan.losses ?? 0) ? { losses: after.losses } : {}),
  }
  if (isActive(after)) {
    edit.patchFan(position, changes)
    return
  }
  const forEach = forEachPlan(edit, position)
  const isResult = after.phase !== 'cancelled'
  const outputBytes = fan.outputBytes + (isResult ? collectedBytes(forEach, output) : 0)
  edit.patchFan(position, {
    ...changes,
    active: fan.active - 1,
    succeeded: fan.succeeded + (after.phase === 'succeeded' ? 1 : 0),
    failed: fan.failed + (after.phase === 'failed' ? 1 : 0),
    outputBytes,
    ...(exceedsArray(outputBytes) ? { overflowed: true } : {}),
  })
  if (isResult) keepCollected(edit, { position, index }, output)
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

/** The step has succeeded once every item has come to its end. */
export function closeFan(edit: JobEdit, position: number): void {
  const { fan, phase } = edit.step(position)
  if (fan === null || phase !== 'open' || edit.row.phase !== 'forward') return
  if (fan.cursor < fan.total || fan.active > 0) return
  const { name } = edit.stepPlan(position)
  edit.putOutput(position, collect(edit, position, fan))
  edit.patchStep(position, { phase: 'succeeded', error: null })
  edit.note({ type: 'step_succeeded', step: name })
}

export function forEachPlan(edit: JobEdit, position: number): ForEachPlan {
  const { forEach, name } = edit.stepPlan(position)
  assert(forEach !== null, `step ${name} of job ${edit.id} is no forEach`)
  return forEach
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
