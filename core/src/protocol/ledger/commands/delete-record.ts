import { recallCall, rememberCall } from '../call-keys.js'
import type { DeleteRecordCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { conditionRefusal } from '../record.js'
import { keys, type RecordRow } from '../rows-layout.js'
import { toByteString } from '../text-bytes.js'

/**
 * Deletes a record, and is content when there is none. A repeat under the same key is recognised
 * only while no other write came between.
 */
export function deleteRecord(context: EntryContext, command: DeleteRecordCommand): Applied {
  const { key, condition, idempotency } = command
  const rowKey = keys.record(toByteString(key))
  const row = context.rows.get<RecordRow>(rowKey)
  const call = recallCall(context, idempotency)
  if (typeof call !== 'string') return call
  if (call === 'repeated' && row === undefined) {
    return { ok: true, result: 'deleted', replayed: true }
  }
  const refusal = conditionRefusal(key, row, condition)
  if (refusal !== null) return refusal
  rememberCall(context, idempotency)
  if (row !== undefined) {
    context.rows.delete(rowKey)
    context.rows.delete(keys.recordValue(row.id))
  }
  return { ok: true, result: 'deleted' }
}
