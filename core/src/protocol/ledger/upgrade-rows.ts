import type { EntryContext } from './entry-context.js'
import { SCAN_PAGE_ROWS } from './limits.js'
import { type CountsRow, endOf, type JobIndexRow, keys, type LayoutRow } from './rows-layout.js'

/**
 * Brings the rows of an arc that an earlier version wrote up to this version's layout, once: at the
 * first term that begins under it. A replay does the same at the same entry.
 *
 * | version | what it adds |
 * |---------|--------------|
 * | 1       | jobs are found and counted by their definition's name (`n/`, `c/n/`) |
 */
export function upgradeRows(context: EntryContext): void {
  const { rows } = context
  const version = rows.get<LayoutRow>(keys.layout)?.version ?? 0
  if (version >= LAYOUT_VERSION) return
  indexByName(context)
  const row: LayoutRow = { version: LAYOUT_VERSION }
  rows.put(keys.layout, row)
}

const LAYOUT_VERSION = 1

/** Counted anew: what entries before this one have added is not to be added again. */
function indexByName({ rows }: EntryContext): void {
  const counts = new Map<string, Map<string, number>>()
  for (let from = 'x/'; ; ) {
    const page = rows.scan<JobIndexRow>(from, endOf('x/'), SCAN_PAGE_ROWS)
    for (const { key, value } of page) {
      if (value.job === null) continue
      const [, status = '', createdAt = '', id = ''] = key.split('/')
      rows.put(`${keys.jobsNamed(value.job)}${createdAt}/${id}`, {})
      const named = counts.get(value.job) ?? new Map<string, number>()
      counts.set(value.job, named.set(status, (named.get(status) ?? 0) + 1))
    }
    const last = page.at(-1)
    if (last === undefined || page.length < SCAN_PAGE_ROWS) break
    from = `${last.key}\u0000`
  }
  for (const [name, byStatus] of counts) {
    const sorted = [...byStatus].sort(([a], [b]) => (a < b ? -1 : 1))
    const row: CountsRow = { counts: Object.fromEntries(sorted) }
    rows.put(keys.namedCounts(name), row)
  }
}
