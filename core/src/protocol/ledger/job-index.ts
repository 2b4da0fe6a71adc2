import type { HashText } from './entry-context.js'
import type { JobRow } from './job-row.js'
import { keys, labelName, placeOf } from './rows-layout.js'

/**
 * The rows by which a job is found and which stay as long as it does: one under its definition's
 * name, one for each label. The one under its status moves with it (job-edit.ts).
 */
export function unchangingIndexKeys(hash: HashText, row: JobRow): string[] {
  if (row.labels === undefined && row.job === null) return []
  const place = placeOf(row.createdAt, row.id)
  const labels = Object.entries(row.labels ?? {})
  const lists = labels.map(([key, value]) => keys.jobsLabelled(hash(labelName(key, value))))
  if (row.job !== null) lists.push(keys.jobsNamed(row.job))
  return lists.map((list) => `${list}${place}`)
}
