import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { JobPlan } from '@gyre/jobs'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { Rows } from '../state/rows.js'
import type { Command, EntryBody } from './command.js'
import type { JobRow } from './job-row.js'
import { Ledger } from './ledger.js'
import { UPGRADE_ROWS_PER_ENTRY } from './limits.js'
import { historyAnswer } from './queries/history.js'
import type { LayoutRow } from './rows-layout.js'
import { toyHash } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'
import { jobView } from './views/job-view.js'

/** What the ledger wrote before jobs were found by name and removed after their retention. */
const OLD: {
  readonly entries: readonly EntryBody[]
  readonly rows: readonly (readonly [string, object])[]
  readonly shown: Readonly<Record<string, object>>
} = JSON.parse(
  readFileSync(
    new URL('../../../src/protocol/ledger/testing/fixtures/layout-0.json', import.meta.url),
    'utf8',
  ),
)

const DAY_MS = 86_400_000

/** A ledger under a test's hand, entry by entry, over rows that may be any version's. */
class Bench {
  readonly rows: Rows = new Overlay(new MemoryTable(), { freeze: true }).rows(0)
  readonly #ledger = new Ledger(this.rows, toyHash)
  index = 1000
  now = OLD.entries.at(-1)?.t ?? 0

  apply(command: Command): void {
    this.index += 1
    const applied = this.#ledger.apply(
      { arc: 0, term: 1, index: this.index },
      { t: this.now, s: this.index, c: command },
    )
    assert.ok(applied.applied.ok, JSON.stringify(applied.applied))
  }

  replay(entries: readonly EntryBody[]): void {
    for (const [position, body] of entries.entries()) {
      this.#ledger.apply({ arc: 0, term: 1, index: position + 1 }, body)
    }
  }

  get layout(): LayoutRow | undefined {
    return this.rows.get<LayoutRow>('c/layout')
  }

  /** Fires until the upgrade is over. @returns how often */
  finish(): number {
    for (let fires = 0; fires < 100; fires += 1) {
      if (this.layout?.upgrade === undefined) return fires
      this.apply({ kind: 'fire' })
    }
    assert.fail('the upgrade comes to no end')
  }

  count(prefix: string): number {
    return this.rows.scan(prefix, `${prefix}\u00ff`, Number.MAX_SAFE_INTEGER).length
  }

  /** As the fixture tells it. */
  shown(id: string): object {
    const row = this.rows.get<JobRow>(`j/${id}`)
    assert.ok(row, `job ${id} is gone`)
    const job = jobView(this.rows, toyHash, row)
    const steps = job['steps'] as unknown as { name: string; status: string; output: unknown }[]
    const { status, cause, run, output } = job
    const told = historyAnswer(this, { kind: 'history', id, after: 0, limit: 1000 })
    const events = told.ok ? JSON.parse(told.body ?? '{}').items.length : 0
    const shownSteps = steps.map((step) => [step.name, step.status, step.output])
    return { status, cause, run, output, steps: shownSteps, events }
  }

  readonly hash = toyHash
}

function oldRows(): Bench {
  const bench = new Bench()
  for (const [key, value] of OLD.rows) bench.rows.put(key, value)
  return bench
}

test('rows of the first layout show the same jobs, and are found, counted and removed like new ones', () => {
  const bench = oldRows()
  // Of entries that were replayed before the term began.
  bench.rows.put('c/n/order', { counts: { running: 7 } })
  bench.apply({ kind: 'term-start' })
  bench.finish()
  assert.equal(bench.layout?.version, 2)
  for (const [id, shown] of Object.entries(OLD.shown)) assert.deepEqual(bench.shown(id), shown)
  checkRows(bench.rows)
  assert.equal(bench.count('n/order/'), 4)
  bench.now += 8 * DAY_MS
  bench.apply({ kind: 'fire' })
  checkRows(bench.rows)
  const left = Object.keys(OLD.shown).filter((id) => bench.rows.get(`j/${id}`) !== undefined)
  const kept = Object.values(OLD.shown).filter((job) => 'status' in job && isKept(job.status))
  assert.equal(left.length, kept.length)
})

function isKept(status: unknown): boolean {
  return ['compensation_failed', 'waiting', 'running', 'queued'].includes(String(status))
}

test('a log that the first layout wrote replays to the same jobs', () => {
  const bench = new Bench()
  bench.replay(OLD.entries)
  for (const [id, shown] of Object.entries(OLD.shown)) assert.deepEqual(bench.shown(id), shown)
  checkRows(bench.rows)
})

test('old rows go on: what ran is reported, what waited is tried again, what failed is retried', () => {
  const bench = oldRows()
  bench.apply({ kind: 'term-start' })
  const [node, boot] = ['a'.repeat(32), 2]
  bench.apply({ kind: 'lose-worker', node, beforeBoot: boot })
  const failed = Object.entries(OLD.shown).find(
    ([, job]) => 'status' in job && job.status === 'failed',
  )
  bench.apply({ kind: 'retry', id: failed?.[0] ?? '' })
  bench.now += DAY_MS
  bench.finish()
  bench.apply({ kind: 'fire' })
  checkRows(bench.rows)
})

const NAMED: JobPlan = { ...planOf({ main: {} }), job: 'named' }

/** Many jobs, as a version without names, removals and keys would have left them. */
function manyOldJobs(count: number): { readonly bench: Bench; readonly ids: readonly string[] } {
  const bench = new Bench()
  const ids = Array.from({ length: count }, (_, number) => {
    const id = (number * 7919).toString(16).padStart(32, '0')
    const idempotency = { key: id, fingerprint: id }
    bench.apply({ kind: 'submit', id, plan: NAMED, input: null, idempotency })
    if (number % 3 === 0) bench.apply({ kind: 'cancel', id, compensate: false })
    return id
  })
  for (const prefix of ['n/', 'c/n/', 'q/']) {
    for (const { key } of bench.rows.scan(prefix, `${prefix}\u00ff`, 1e9)) bench.rows.delete(key)
  }
  for (const id of ids) {
    const { idempotencyKey: _key, ...row } = bench.rows.get<JobRow>(`j/${id}`) ?? {}
    bench.rows.put(`j/${id}`, row)
  }
  return { bench, ids }
}

test('an upgrade of many jobs goes on in slices, whatever happens to the jobs in between', () => {
  const count = 2 * UPGRADE_ROWS_PER_ENTRY + 10
  const { bench, ids } = manyOldJobs(count)
  bench.apply({ kind: 'term-start' })
  assert.equal(bench.count('n/'), 0, 'keys come first')
  for (let slice = 1; bench.layout?.upgrade !== undefined; slice += 1) {
    assert.ok(slice < 20, 'the upgrade comes to no end')
    const before = bench.count('n/')
    bench.apply({ kind: 'fire' })
    assert.ok(bench.count('n/') - before <= UPGRADE_ROWS_PER_ENTRY)
    // One that the upgrade has come to, and one that it has not; neither was cancelled before.
    const [low, high] = [ids[30 * slice + 1] ?? '', ids[count - 30 * slice - 1] ?? '']
    for (const id of [low, high]) {
      bench.now += 1
      bench.apply({ kind: 'cancel', id, compensate: false })
    }
    bench.apply({ kind: 'delete-job', id: low })
    const id = `${slice}`.repeat(32).slice(0, 32)
    bench.apply({ kind: 'submit', id, plan: NAMED, input: null })
  }
  checkRows(bench.rows)
})

test('a new arc has nothing to bring up, and an upgrade that is over is not begun again', () => {
  const bench = new Bench()
  bench.apply({ kind: 'term-start' })
  bench.finish()
  assert.deepEqual(bench.layout, { version: 2 })
  bench.apply({ kind: 'term-start' })
  assert.deepEqual(bench.layout, { version: 2 })
  assert.equal(bench.count('q/'), 0)
})
