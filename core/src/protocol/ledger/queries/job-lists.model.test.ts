import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeJobId } from '../../../base/ids.js'
import { MemoryTable } from '../../state/memory-table.js'
import { Overlay } from '../../state/overlay.js'
import { Ledger } from '../ledger.js'
import type { JobCountsQuery, JobFilter, JobsQuery } from '../query.js'
import { toyHash } from '../testing/ledger-harness.js'
import { planOf } from '../testing/plans.js'
import type { ReadContext } from './found.js'
import { jobCounts } from './job-counts.js'
import { jobsPage } from './jobs.js'

/** Lists and counts, against looking at every job, with few rows a query so that most come in slices. */

const ARCS = 3

interface Job {
  readonly arc: number
  readonly createdAt: number
  readonly job: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly status: 'queued' | 'cancelled'
}

const anyLabels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), {
  maxKeys: 2,
})
const anyJob: fc.Arbitrary<Job> = fc.record({
  arc: fc.nat(ARCS - 1),
  createdAt: fc.integer({ min: 1, max: 6 }),
  job: fc.constantFrom('x', 'y', null),
  labels: anyLabels,
  status: fc.constantFrom('queued' as const, 'cancelled' as const),
})
const anyFilter: fc.Arbitrary<JobFilter> = fc.record(
  {
    status: fc.constantFrom('queued', 'cancelled', 'failed'),
    job: fc.constantFrom('x', 'y', 'z'),
    labels: anyLabels,
    createdAfter: fc.integer({ min: 1, max: 6 }),
    createdBefore: fc.integer({ min: 1, max: 7 }),
  },
  { requiredKeys: [] },
)

/** One arc, one row a question: what is left of the first status must not hide the second's. */
const STATUS_CHANGES_IN_A_SLICE: Job[] = [
  { arc: 2, createdAt: 2, job: 'x', labels: { a: '1' }, status: 'cancelled' },
  { arc: 2, createdAt: 1, job: 'x', labels: { a: '1' }, status: 'queued' },
]

test('pages of a list join to all that match, newest first, whatever the filter and the slices', () => {
  const rowsMax = fc.integer({ min: 1, max: 10 })
  const limit = fc.integer({ min: 1, max: 5 })
  fc.assert(
    fc.property(fc.array(anyJob, { maxLength: 40 }), anyFilter, rowsMax, limit, (jobs, ...rest) => {
      const [filter, rows, perPage] = rest
      const { arcs, ids } = store(jobs)
      const expected = jobs
        .map((job, index) => ({ ...job, id: ids[index] ?? '' }))
        .filter((job) => matches(job, filter))
        .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id)
      assert.deepEqual(listAll(arcs, { kind: 'jobs', ...filter, limit: perPage }, rows), expected)
    }),
    { numRuns: 300 },
  )
})

test('counts are those of all that match, whatever the filter and the slices', () => {
  const rowsMax = fc.integer({ min: 1, max: 10 })
  // A time makes it count rows; without one there may be a counter for it.
  const counted = anyFilter.map((filter) => ({ createdAfter: 1, ...filter }))
  fc.assert(
    fc.property(fc.array(anyJob, { maxLength: 40 }), counted, rowsMax, (jobs, filter, rows) => {
      const { arcs } = store(jobs)
      const expected = { queued: 0, cancelled: 0 }
      for (const job of jobs) if (matches(job, filter)) expected[job.status] += 1
      const counted = countAll(arcs, { kind: 'job-counts', ...filter }, rows)
      assert.deepEqual({ queued: 0, cancelled: 0, ...counted }, expected)
    }),
    {
      numRuns: 300,
      examples: [[STATUS_CHANGES_IN_A_SLICE, { createdAfter: 1, labels: { a: '1' } }, 1]],
    },
  )
})

function matches(job: Job, { status, job: name, labels = {}, ...times }: JobFilter): boolean {
  const { createdAfter = 0, createdBefore = Number.MAX_SAFE_INTEGER } = times
  if (job.createdAt < createdAfter || job.createdAt >= createdBefore) return false
  if ((status ?? job.status) !== job.status || (name ?? job.job) !== job.job) return false
  return Object.entries(labels).every(([key, value]) => job.labels[key] === value)
}

function store(jobs: readonly Job[]): { arcs: ReadContext[]; ids: string[] } {
  const overlay = new Overlay(new MemoryTable(), { freeze: true })
  const arcs = Array.from({ length: ARCS }, (_, arc) => ({
    rows: overlay.rows(arc),
    hash: toyHash,
  }))
  const ledgers = arcs.map(({ rows }) => new Ledger(rows, toyHash))
  const ids = jobs.map((job, number) => {
    const id = makeJobId(job.arc, job.createdAt, number.toString(16).padStart(16, '0'))
    const plan = { ...planOf({ main: {} }), job: job.job }
    const { createdAt: t, labels } = job
    const at = { arc: job.arc, term: 1, index: number * 2 + 1 }
    const ledger = ledgers[job.arc]
    ledger?.apply(at, { t, s: 0, c: { kind: 'submit', id, plan, input: null, labels } })
    if (job.status === 'queued') return id
    const c = { kind: 'cancel', id, compensate: false } as const
    ledger?.apply({ ...at, index: at.index + 1 }, { t, s: 0, c })
    return id
  })
  return { arcs, ids }
}

function listAll(arcs: readonly ReadContext[], query: JobsQuery, rowsMax: number): string[] {
  const ids: string[] = []
  for (let start: Pick<JobsQuery, 'before'> = {}; ; ) {
    const { items, next } = jobsPage(arcs, { ...query, ...start }, rowsMax)
    assert.ok(items.length <= query.limit)
    ids.push(...items.map((item) => (item as { id: string }).id))
    if (next === null) return ids
    start = { before: next }
  }
}

function countAll(
  arcs: readonly ReadContext[],
  query: JobCountsQuery,
  rowsMax: number,
): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let start: Pick<JobCountsQuery, 'from'> = {}; ; ) {
    const { counts: some, next } = jobCounts(arcs, { ...query, ...start }, rowsMax)
    for (const [status, count] of Object.entries(some)) {
      counts[status] = (counts[status] ?? 0) + count
    }
    if (next === null) return counts
    start = { from: next }
  }
}
