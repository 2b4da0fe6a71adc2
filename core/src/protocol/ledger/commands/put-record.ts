import { keyReused } from '../call-keys.js'
import type { PutRecordCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { conditionRefusal } from '../record.js'
import { keys, type RecordRow, type RecordValueRow } from '../rows-layout.js'
import { toByteString } from '../text-bytes.js'

/**
 * Writes a record if it is still what the writer saw. Its version is the entry's: it rises for a key
 * also across deletions.
 *
 * The record keeps its last writer's key, and a repeat of that write gets that write's answer. Once
 * another write came between, a repeat is a write like any other.
 */
export function putRecord(context: EntryContext, command: PutRecordCommand): Applied {
  const { key, id, value, condition, idempotency } = command
  const rowKey = keys.record(toByteString(key))
  const before = context.rows.get<RecordRow>(rowKey)
  const shows = { kind: 'record', key } as const
  if (idempotency !== undefined && before?.writer?.key === idempotency.key) {
    if (before.writer.fingerprint !== idempotency.fingerprint) return keyReused()
    const result = before.created ? 'created' : 'updated'
    return { ok: true, result, replayed: true, shows }
  }
  const refusal = conditionRefusal(key, before, condition)
  if (refusal !== null) return refusal
  const created = before === undefined
  const row: RecordRow = {
    id,
    version: context.version,
    updatedAt: context.at,
    created,
    ...(idempotency === undefined ? {} : { writer: idempotency }),
  }
  const valueRow: RecordValueRow = { key, value }
  context.rows.put(rowKey, row)
  context.rows.put(keys.recordValue(id), valueRow)
  return { ok: true, result: created ? 'created' : 'updated', shows }
}
