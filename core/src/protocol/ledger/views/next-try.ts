import type { Instant } from '../../../base/ids.js'
import type { Rows } from '../../state/rows.js'
import type { FanState, ItemRow, UndoFan } from '../job-row.js'
import { NEXT_TRY_ITEMS_MAX } from '../limits.js'
import { keys } from '../rows-layout.js'

/** The items of a step that are tried, or undone. */
export interface TriedItems {
  readonly job: string
  readonly step: string
  readonly fan: FanState | UndoFan
  readonly hook: 'run' | 'compensate'
}

/**
 * When the next of a step's items is tried again, if all that could be it stand among the newest;
 * undefined: none waits for that, or it cannot be told without reading too much.
 */
export function nextTryOfItems(rows: Rows, tried: TriedItems): Instant | undefined {
  const { job, step, fan, hook } = tried
  let next: Instant | undefined
  let left = fan.active
  const lowest = Math.max(0, fan.cursor - NEXT_TRY_ITEMS_MAX)
  for (let index = fan.cursor - 1; index >= lowest && left > 0; index -= 1) {
    const item = rows.get<ItemRow>(keys.item(job, step, index))
    const task = hook === 'run' ? item?.task : item?.undo
    if (task === undefined || task === null || !ACTIVE.has(task.phase)) continue
    left -= 1
    if (task.phase === 'backoff') next = Math.min(next ?? task.dueAt, task.dueAt)
  }
  return left === 0 ? next : undefined
}

const ACTIVE: ReadonlySet<string> = new Set(['ready', 'leased', 'stopping', 'backoff'])
