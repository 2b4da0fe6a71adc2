import type { JsonObject } from '@gyre/jobs'
import { isoInstant } from '../iso-instant.js'
import type { RecordRow, RecordValueRow } from '../rows-layout.js'

/** A record as lists show it, without its value. */
export function recordSummary(key: string, row: RecordRow): JsonObject {
  return { key, id: row.id, version: row.version, updatedAt: isoInstant(row.updatedAt) }
}

export function recordView(row: RecordRow, { key, value }: RecordValueRow): JsonObject {
  const { id, version, updatedAt } = row
  return { key, id, version, value, updatedAt: isoInstant(updatedAt) }
}
