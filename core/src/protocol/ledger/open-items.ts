import { assert } from '../../base/assert.js'
import type { JobEdit } from './job-edit.js'
import { type ItemRow, mustUndo } from './job-row.js'
import { SCAN_PAGE_ROWS } from './limits.js'
import { endOf, keys, sortable, sortableAt } from './rows-layout.js'
import { isPoisoned } from './task.js'

/**
 * Which items of a `forEach` something may still happen to, so that stopping, undoing or retrying one
 * of 100,000 looks at the few that matter: at most as many are open as the step's concurrency allows.
 *
 * F1  an item has a `k/` row from its start until it has succeeded, failed as a result, or is undone
 * F2  an item has an `m/` row from when it may have had an effect until its undoing begins, where the
 *     step has a compensation
 *
 * Fans that an earlier version began have neither; their items are looked for one by one.
 */

export interface StartedItem {
  readonly index: number
  readonly item: ItemRow
}

/** Brings the rows up to date with what became of an item; `before` is undefined when it starts. */
export function indexItem(
  edit: JobEdit,
  place: { readonly position: number; readonly index: number },
  { before, after }: { readonly before: ItemRow | undefined; readonly after: ItemRow },
): void {
  const { position, index } = place
  if (edit.step(position).fan?.indexed !== true) return
  const { forEach, compensate, name } = edit.stepPlan(position)
  const failureCounts = forEach?.onItemError === 'continue'
  const set = (prefix: string, was: boolean, is: boolean): void => {
    if (was === is) return
    const key = prefix + sortable(index)
    if (is) edit.context.rows.put(key, {})
    else edit.context.rows.delete(key)
  }
  const wasOpen = before !== undefined && isOpen(before, failureCounts)
  set(keys.openItems(edit.id, name), wasOpen, isOpen(after, failureCounts))
  if (compensate === null) return
  const wasToUndo = before !== undefined && isToUndo(before)
  set(keys.itemsToUndo(edit.id, name), wasToUndo, isToUndo(after))
}

/** F1. Items that may still run, be run again or be undone again, in index order. */
export function openItems(edit: JobEdit, position: number): Generator<StartedItem> {
  if (edit.step(position).fan?.indexed !== true) return startedItems(edit, position)
  return indexedItems(edit, position)
}

/** F2. The next item that must be undone; there must be one. Items below `from` were looked at. */
export function nextItemToUndo(edit: JobEdit, position: number, from: number): number {
  const { fan } = edit.step(position)
  const { name } = edit.stepPlan(position)
  if (fan?.indexed === true) {
    const prefix = keys.itemsToUndo(edit.id, name)
    const [next] = edit.context.rows.scan(prefix, endOf(prefix), 1)
    assert(next !== undefined, `step ${name} of job ${edit.id} counts items to undo that are none`)
    return sortableAt(next.key, prefix.length)
  }
  for (let index = from; index < (fan?.cursor ?? 0); index += 1) {
    if (mustUndo(itemOf(edit, name, index).task)) return index
  }
  assert(false, `step ${name} of job ${edit.id} counts items to undo that are none`)
}

/** Items that were started, in index order. */
export function* startedItems(edit: JobEdit, position: number): Generator<StartedItem> {
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

function* indexedItems(edit: JobEdit, position: number): Generator<StartedItem> {
  const { name } = edit.stepPlan(position)
  const prefix = keys.openItems(edit.id, name)
  for (let from = prefix; ; ) {
    const page = edit.context.rows.scan(from, endOf(prefix), SCAN_PAGE_ROWS)
    for (const { key } of page) {
      const index = sortableAt(key, prefix.length)
      yield { index, item: itemOf(edit, name, index) }
    }
    const last = page.at(-1)
    if (last === undefined || page.length < SCAN_PAGE_ROWS) return
    from = `${last.key}\u0000`
  }
}

function isOpen({ task, undo }: ItemRow, failureCounts: boolean): boolean {
  if (undo !== null) return undo.phase !== 'succeeded'
  if (task.phase === 'failed') return !failureCounts || isPoisoned(task)
  return task.phase !== 'succeeded'
}

function isToUndo({ task, undo }: ItemRow): boolean {
  return undo === null && mustUndo(task)
}

function itemOf(edit: JobEdit, step: string, index: number): ItemRow {
  const item = edit.context.rows.get<ItemRow>(keys.item(edit.id, step, index))
  assert(item !== undefined, `item ${index} of step ${step} of job ${edit.id} is missing`)
  return item
}
