import type { EntryContext } from './entry-context.js'
import type { Rows } from '../state/rows.js'
import { unchangingIndexKeys } from './job-index.js'
import type { JobRow } from './job-row.js'
import { UPGRADE_ROWS_PER_ENTRY } from './limits.js'
import { purgeAt } from './retention.js'
import {
  type CountsRow,
  endOf,
  keys,
  type LayoutRow,
  type PurgeRow,
  type SubmissionKeyRow,
  type UpgradeProgress,
} from './rows-layout.js'

/**
 * Brings the rows of an arc that an earlier version wrote up to this version's layout: begun at the
 * first term under it, then a slice with every `fire`, so that no entry is slow. A replay does the same
 * at the same entries.
 *
 * | version | what it adds |
 * |---------|--------------|
 * | 1       | jobs are found and counted by their definition's name (`n/`, `c/n/`) |
 * | 2       | finished jobs are removed after their retention (`q/`), their keys with them |
 *
 * G1  keys first, then jobs, each in the order of their row keys, which never change
 * G2  what changes meanwhile is brought up to date by whoever changes it; only counts by name, which
 *     sum up, leave out jobs that the upgrade has yet to come to (`isCounted`)
 */
export function beginUpgrade(context: EntryContext): void {
  const { rows } = context
  const row = rows.get<LayoutRow>(keys.layout)
  const version = row?.version ?? 0
  if (version >= LAYOUT_VERSION || row?.upgrade !== undefined) return
  const countsNames = version < 1
  // What entries replayed by this version have added is counted again with all others.
  if (countsNames) for (const { key } of rows.scan('c/n/', endOf('c/n/'), ALL)) rows.delete(key)
  const upgrade: UpgradeProgress = { phase: 'keys', after: 'k/', countsNames }
  rows.put(keys.layout, { version, upgrade } satisfies LayoutRow)
  rows.put(keys.upgradeDue(), { kind: 'upgrade' } satisfies PurgeRow)
  context.noteTimersChanged()
  upgradeSlice(context)
}

/** As many keys or jobs as one entry may; the last keys and the first jobs may share one. */
export function upgradeSlice(context: EntryContext): void {
  const { rows } = context
  const { version, upgrade } = rows.get<LayoutRow>(keys.layout) ?? { version: LAYOUT_VERSION }
  if (upgrade === undefined) return end(rows)
  const { upgrade: next, left } =
    upgrade.phase === 'keys' ? nameKeys(rows, upgrade) : { upgrade, left: UPGRADE_ROWS_PER_ENTRY }
  const after = next.phase === 'keys' ? next.after : takeUpJobs(context, next, left)
  if (after === 'all') return end(rows)
  rows.put(keys.layout, { version, upgrade: { ...next, after } } satisfies LayoutRow)
}

function nameKeys(
  rows: Rows,
  upgrade: UpgradeProgress,
): { readonly upgrade: UpgradeProgress; readonly left: number } {
  const page = rows.scan<SubmissionKeyRow>(upgrade.after, endOf('k/'), UPGRADE_ROWS_PER_ENTRY)
  for (const { key, value } of page) nameKey(rows, key, value)
  const last = page.at(-1)
  const left = UPGRADE_ROWS_PER_ENTRY - page.length
  if (last === undefined || left > 0)
    return { upgrade: { ...upgrade, phase: 'jobs', after: '' }, left }
  return { upgrade: { ...upgrade, after: `${last.key}\u0000` }, left }
}

/** @returns the ID of the last job that it came to, or that it came to all */
function takeUpJobs({ rows, hash }: EntryContext, upgrade: UpgradeProgress, count: number): string {
  let { after } = upgrade
  for (let left = count; left > 0; left -= 1) {
    const job = nextJob(rows, after)
    if (job === undefined) return 'all'
    after = job.id
    dueRemoval(rows, job)
    if (!upgrade.countsNames || job.job === null) continue
    for (const key of unchangingIndexKeys(hash, job)) rows.put(key, {})
    countName(rows, job.job, job.status)
  }
  return after
}

/** G2. False for jobs that the upgrade will count, as they are when it comes to them. */
export function isCounted(rows: Rows, id: string): boolean {
  const upgrade = rows.get<LayoutRow>(keys.layout)?.upgrade
  if (upgrade?.countsNames !== true) return true
  return upgrade.phase === 'jobs' && id <= upgrade.after
}

const LAYOUT_VERSION = 2
const ALL = Number.MAX_SAFE_INTEGER

function end(rows: Rows): void {
  rows.put(keys.layout, { version: LAYOUT_VERSION } satisfies LayoutRow)
  rows.delete(keys.upgradeDue())
}

/** The rows of a job stand behind its own, and are jumped over. */
function nextJob(rows: Rows, after: string): JobRow | undefined {
  let from = after === '' ? 'j/' : endOf(`${keys.job(after)}/`)
  for (;;) {
    const [entry] = rows.scan<JobRow>(from, endOf('j/'), 1)
    if (entry === undefined) return undefined
    const id = entry.key.slice('j/'.length).split('/')[0] ?? ''
    if (entry.key === keys.job(id)) return entry.value
    // What is left of a job that is being removed.
    from = endOf(`${keys.job(id)}/`)
  }
}

/** A job knows the key that it was submitted with. */
function nameKey(rows: Rows, key: string, { job }: SubmissionKeyRow): void {
  const row = rows.get<JobRow>(keys.job(job))
  if (row === undefined || row.idempotencyKey !== undefined) return
  const named: JobRow = { ...row, idempotencyKey: key.slice('k/'.length) }
  rows.put(keys.job(row.id), named)
}

function dueRemoval(rows: Rows, row: JobRow): void {
  const due = purgeAt(row)
  if (due === null) return
  const purgeRow: PurgeRow = { kind: 'job', job: row.id }
  rows.put(keys.purgeJob(due, row.id), purgeRow)
}

function countName(rows: Rows, name: string, status: string): void {
  const counts = rows.get<CountsRow>(keys.namedCounts(name))?.counts ?? {}
  const all = Object.entries({ ...counts, [status]: (counts[status] ?? 0) + 1 })
  const row: CountsRow = { counts: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))) }
  rows.put(keys.namedCounts(name), row)
}
