import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteTable } from '@gyre/core/internal/adapters/sqlite-table.js'
import { arcOf, makeJobId } from '@gyre/core/internal/base/ids.js'
import type { Command, EntryBody } from '@gyre/core/internal/protocol/ledger/command.js'
import { LedgerNode } from '@gyre/core/internal/protocol/ledger/ledger-node.js'
import type { JobFilter } from '@gyre/core/internal/protocol/ledger/query.js'
import { Overlay } from '@gyre/core/internal/protocol/state/overlay.js'
import type { JobPlan } from '@gyre/jobs'

/**
 * Lists, counts and removal among very many finished jobs: the ledger machine over the overlay and
 * SQLite, without a log and without HTTP.
 *
 *     node test/dist/bench/many-jobs.js [JOBS]
 */

const ARCS = 256
const NODE = 'a'.repeat(32)
const FIRST_INSTANT = 1_700_000_000_000
const RETENTION_MS = 7 * 24 * 3600 * 1000
const FLUSH_EVERY = 5000
const LOOKS = 20

const PLAN: JobPlan = {
  job: null,
  single: true,
  steps: [
    {
      name: 'main',
      service: 'work',
      needs: [],
      input: { $from: '/input' },
      timeoutMs: 60_000,
      retry: { attempts: 1, delayMs: 1000, factorMilli: 2000, maxDelayMs: 300_000, jitter: false },
      forEach: null,
      compensate: null,
    },
  ],
}

class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gyre-many-jobs-'))
  readonly #table = SqliteTable.open(this.#folder)
  readonly #ledger = new LedgerNode({
    overlay: new Overlay(this.#table),
    self: { node: NODE, boot: 1 },
    arcCount: ARCS,
    hash: (text) => hash('sha256', text).slice(0, 32),
  })
  readonly #indexes = new Map<number, number>()

  /** One job of a thousand fails, every second has the label `even`, one of 10,000 the label `rare`. */
  fill(count: number): void {
    for (let number = 0; number < count; number += 1) {
      const random = hash('sha256', String(number)).slice(0, 16)
      const id = makeJobId(Number.parseInt(random.slice(0, 4), 16), FIRST_INSTANT + number, random)
      const at = FIRST_INSTANT + number
      const labels = {
        parity: number % 2 === 0 ? 'even' : 'odd',
        ...(number % 10_000 === 0 ? { kind: 'rare' } : {}),
      }
      const plan = { ...PLAN, job: `job-${number % 10}` }
      this.apply(id, at, { kind: 'submit', id, plan, input: { number }, labels }, true)
      const attempt = {
        job: id,
        run: 1,
        step: 'main',
        index: null,
        hook: 'run',
        attempt: 1,
      } as const
      const error = { code: 'broken', message: 'it broke', retryable: false }
      const failed = { kind: 'failed', error } as const
      const outcome =
        number % 1000 === 0 ? failed : ({ kind: 'succeeded', output: number } as const)
      this.apply(id, at, { kind: 'finish-attempt', attempt, outcome }, false)
      if (number % FLUSH_EVERY === 0) this.flush()
    }
    this.flush()
  }

  apply(id: string, t: number, c: Command, starts: boolean): void {
    this.#entry(arcOf(id, ARCS), t, c, starts)
  }

  /** Removes what is due at this instant in every arc. @returns entries that it took */
  purge(t: number): number {
    let entries = 0
    for (let arc = 0; arc < ARCS; arc += 1) {
      for (let more = true; more; entries += 1) {
        this.#entry(arc, t, { kind: 'fire' }, false)
        more = this.#ledger
          .takeOutputs()
          .some((said) => said.kind === 'timer' && said.at !== null && said.at <= t)
        if (entries % 50 === 0) this.flush()
      }
    }
    this.flush()
    return entries
  }

  /** @returns milliseconds, median and slowest, and the last answer's body */
  ask(query: object): { readonly median: number; readonly slowest: number; readonly body: string } {
    const times: number[] = []
    let body = ''
    for (let look = 0; look < LOOKS; look += 1) {
      const began = performance.now()
      this.#ledger.step({ kind: 'query', request: 1, arc: null, body: JSON.stringify(query) })
      times.push(performance.now() - began)
      for (const said of this.#ledger.takeOutputs())
        if (said.kind === 'reply') body = said.body ?? ''
    }
    times.sort((a, b) => a - b)
    return { median: times[LOOKS >> 1] ?? 0, slowest: times.at(-1) ?? 0, body }
  }

  flush(): void {
    while (this.#ledger.flush(20_000) > 0) this.#ledger.takeOutputs()
  }

  close(): void {
    this.#table.close()
    rmSync(this.#folder, { recursive: true })
  }

  #entry(arc: number, t: number, c: Command, starts: boolean): void {
    const index = (this.#indexes.get(arc) ?? 0) + 1
    this.#indexes.set(arc, index)
    const grant = { g: { node: NODE, boot: 1, slots: { work: 1 } } }
    const entry: EntryBody = { t, s: 1, ...(starts ? grant : {}), c }
    this.#ledger.step({
      kind: 'entry',
      arc,
      term: 1,
      index,
      request: 0,
      body: JSON.stringify(entry),
    })
  }
}

function main(count: number): void {
  const bench = new Bench()
  const began = performance.now()
  bench.fill(count)
  print(`filled with ${count} jobs`, performance.now() - began)
  const middle = FIRST_INSTANT + Math.floor(count / 2)
  const filters: Record<string, JobFilter> = {
    'all jobs': {},
    'status failed (1 in 1,000)': { status: 'failed' },
    'one definition of ten': { job: 'job-3' },
    'label of every second': { labels: { parity: 'even' } },
    'label of 1 in 10,000': { labels: { kind: 'rare' } },
    'two labels': { labels: { kind: 'rare', parity: 'even' } },
    'labels that no job has together': { labels: { kind: 'rare', parity: 'odd' } },
    'label of every second, failed': { labels: { parity: 'even' }, status: 'failed' },
    'older half': { createdBefore: middle },
  }
  for (const [name, filter] of Object.entries(filters)) {
    const list = bench.ask({ kind: 'jobs', ...filter, limit: 50 })
    const { items }: { items: readonly object[] } = JSON.parse(list.body)
    print(`list: ${name}, ${items.length} shown`, list.median, list.slowest)
    const slice = bench.ask({ kind: 'job-counts', ...filter })
    const isWhole = JSON.parse(slice.body).next === null
    print(`count: ${name}${isWhole ? '' : ', first slice'}`, slice.median, slice.slowest)
  }
  const purging = performance.now()
  const entries = bench.purge(FIRST_INSTANT + count + RETENTION_MS)
  const tookMs = performance.now() - purging
  print(`removed all in ${entries} entries, each`, tookMs / entries)
  print('removed all, in sum', tookMs)
  bench.close()
}

function print(what: string, ms: number, slowest?: number): void {
  const tail = slowest === undefined ? '' : `, slowest ${slowest.toFixed(1)} ms`
  process.stdout.write(`${what}: ${ms.toFixed(1)} ms${tail}\n`)
}

main(Number(process.argv[2] ?? 1_000_000))
