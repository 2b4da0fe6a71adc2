import { utf8Length } from '@gyre/jobs'
import { assert } from '../../../base/assert.js'
import type { KeepMemoCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import { MEMO_BYTES_MAX, MEMOS_REMOVED_MAX } from '../limits.js'
import type { Applied } from '../outcome.js'
import { endOf, keys, type MemoRow, type MemoSumRow, sortableAt } from '../rows-layout.js'

/**
 * Keeps what a memoised task gave. Of two that ran side by side the first one's result stays, so that
 * everybody is given the same until its time is over. What has expired makes room, then what expires
 * next: a memo is only a shortcut, and may be missing.
 */
export function keepMemo(context: EntryContext, command: KeepMemoCommand): Applied {
  const { key, job, output, forMs } = command
  const { rows, at } = context
  const before = rows.get<MemoRow>(keys.memo(key))
  if (before !== undefined && before.expiresAt > at) return DONE
  if (before !== undefined) remove(context, key, before)
  const bytes = utf8Length(JSON.stringify(output))
  if (!makeRoom(context, bytes)) return DONE
  const row: MemoRow = { output, job, bytes, expiresAt: at + forMs }
  rows.put(keys.memo(key), row)
  rows.put(keys.memoExpiry(row.expiresAt, key), {})
  addToSum(context, bytes)
  return DONE
}

const DONE: Applied = { ok: true, result: 'done' }

/** @returns false when an entry may not remove as much as that would take */
function makeRoom(context: EntryContext, bytes: number): boolean {
  const { rows, at } = context
  const prefix = keys.memoExpiries
  for (const { key } of rows.scan(prefix, endOf(prefix), MEMOS_REMOVED_MAX)) {
    const isExpired = sortableAt(key, prefix.length) <= at
    if (!isExpired && sumOf(context) + bytes <= MEMO_BYTES_MAX) break
    const memo = key.slice(key.lastIndexOf('/') + 1)
    const row = rows.get<MemoRow>(keys.memo(memo))
    assert(row !== undefined, `${key} is of no memo`)
    remove(context, memo, row)
  }
  return sumOf(context) + bytes <= MEMO_BYTES_MAX
}

function remove(context: EntryContext, key: string, { bytes, expiresAt }: MemoRow): void {
  context.rows.delete(keys.memo(key))
  context.rows.delete(keys.memoExpiry(expiresAt, key))
  addToSum(context, -bytes)
}

function sumOf({ rows }: EntryContext): number {
  return rows.get<MemoSumRow>(keys.memoSum)?.bytes ?? 0
}

function addToSum(context: EntryContext, bytes: number): void {
  const row: MemoSumRow = { bytes: sumOf(context) + bytes }
  context.rows.put(keys.memoSum, row)
}
