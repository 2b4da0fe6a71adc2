import type { EntryContext } from './entry-context.js'
import type { RowEntry, Rows } from '../state/rows.js'
import type { JobRow } from './job-row.js'
import { SCAN_PAGE_ROWS } from './limits.js'
import { purgeAt } from './retention.js'
import {
  type CountsRow,
  endOf,
  type JobIndexRow,
  keys,
  type LayoutRow,
  type PurgeRow,
  type SubmissionKeyRow,
} from './rows-layout.js'

/**
 * Brings the rows of an arc that an earlier version wrote up to this version's layout, once: at the
 * first term that begins under it. A replay does the same at the same entry.
 *
 * | version | what it adds |
 * |---------|--------------|
 * | 1       | jobs are found and counted by their definition's name (`n/`, `c/n/`) |
 * | 2       | finished jobs are removed after their retention (`q/`), their keys with them |
 */
export function upgradeRows(context: EntryContext): void {
  const { rows } = context
  const version = rows.get<LayoutRow>(keys.layout)?.version ?? 0
  if (version >= LAYOUT_VERSION) return
  if (version < 1) indexByName(context)
  nameKeys(context)
  dueRemovals(context)
  const row: LayoutRow = { version: LAYOUT_VERSION }
  rows.put(keys.layout, row)
}

const LAYOUT_VERSION = 2

/** A job knows the key that it was submitted with. */
function nameKeys({ rows }: EntryContext): void {
  for (const { key, value } of pagesOf<SubmissionKeyRow>(rows, 'k/')) {
    const row = rows.get<JobRow>(keys.job(value.job))
    if (row === undefined || row.idempotencyKey !== undefined) continue
    const named: JobRow = { ...row, idempotencyKey: key.slice('k/'.length) }
    rows.put(keys.job(row.id), named)
  }
}

function dueRemovals({ rows }: EntryContext): void {
  for (const { key } of pagesOf<JobIndexRow>(rows, 'x/')) {
    const row = rows.get<JobRow>(keys.job(key.slice(key.lastIndexOf('/') + 1)))
    const due = row === undefined ? null : purgeAt(row)
    if (row === undefined || due === null) continue
    const purgeRow: PurgeRow = { kind: 'job', job: row.id }
    rows.put(keys.purgeJob(due, row.id), purgeRow)
  }
}

function* pagesOf<T extends object>(rows: Rows, prefix: string): Generator<RowEntry<T>> {
  for (let from = prefix; ; ) {
    const page = rows.scan<T>(from, endOf(prefix), SCAN_PAGE_ROWS)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < SCAN_PAGE_ROWS) return
    from = `${last.key}\u0000`
  }
}

/** Counted anew: what entries before this one have added is not to be added again. */
function indexByName({ rows }: EntryContext): void {
  const counts = new Map<string, Map<string, number>>()
  for (const { key, value } of pagesOf<JobIndexRow>(rows, 'x/')) {
    if (value.job === null) continue
    const [, status = '', createdAt = '', id = ''] = key.split('/')
    rows.put(`${keys.jobsNamed(value.job)}${createdAt}/${id}`, {})
    const named = counts.get(value.job) ?? new Map<string, number>()
    counts.set(value.job, named.set(status, (named.get(status) ?? 0) + 1))
  }
  for (const [name, byStatus] of counts) {
    const sorted = [...byStatus].sort(([a], [b]) => (a < b ? -1 : 1))
    const row: CountsRow = { counts: Object.fromEntries(sorted) }
    rows.put(keys.namedCounts(name), row)
  }
}
