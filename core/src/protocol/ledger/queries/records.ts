import type { JsonObject } from '@gyre/jobs'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { endOf, keys, type RecordRow, type RecordValueRow } from '../rows-layout.js'
import { fromByteString, toByteString } from '../text-bytes.js'
import { recordSummary, recordView } from '../views/record-view.js'
import { found, type ReadContext } from './found.js'

export function recordAnswer({ rows }: ReadContext, key: string): Reply {
  const row = rows.get<RecordRow>(keys.record(toByteString(key)))
  const valueRow =
    row === undefined ? undefined : rows.get<RecordValueRow>(keys.recordValue(row.id))
  if (row === undefined || valueRow === undefined) return recordNotFound(key)
  const body = JSON.stringify(recordView(row, valueRow))
  return { ok: true, result: 'found', body, version: row.version }
}

/** Records in the byte order of their keys, without their values. */
export function recordsAnswer(
  { rows }: ReadContext,
  query: Extract<Query, { readonly kind: 'records' }>,
): Reply {
  const prefix = keys.record(toByteString(query.prefix))
  // The key right behind K is K with the least character appended.
  const behind = query.after === undefined ? '' : `${keys.record(toByteString(query.after))}\u0000`
  const from = behind > prefix ? behind : prefix
  const page = rows.scan<RecordRow>(from, endOf(prefix), query.limit)
  const items: JsonObject[] = page.map(({ key, value }) => {
    return recordSummary(fromByteString(key.slice(keys.record('').length)), value)
  })
  return found({ items })
}

function recordNotFound(key: string): Reply {
  return { ok: false, code: 'record_not_found', message: `there is no record ${key}` }
}
