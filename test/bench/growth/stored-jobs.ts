import { hash } from 'node:crypto'
import { join } from 'node:path'
import { SqliteTable } from '@gyre/core/internal/adapters/sqlite-table.js'
import { makeJobId } from '@gyre/core/internal/base/ids.js'
import type { Command, EntryBody } from '@gyre/core/internal/protocol/ledger/command.js'
import { LedgerNode } from '@gyre/core/internal/protocol/ledger/ledger-node.js'
import { Overlay } from '@gyre/core/internal/protocol/state/overlay.js'
import { appliedKey } from '@gyre/core/internal/protocol/state/row-key.js'
import type { Table, TableChange } from '@gyre/core/internal/protocol/state/table.js'
import type { JobPlan } from '@gyre/jobs'

/** Jobs between two flushes: a flush writes the arc's counters once. */
const FLUSH_EVERY = 2000
/** Longer ago than any run takes, and not so long that their retention ends in one. */
const AGE_MS = 24 * 3600 * 1000
const PLACES = 0x10000

const PLAN: JobPlan = {
  job: null,
  single: true,
  steps: [
    {
      name: 'main',
      service: 'bench.noop',
      needs: [],
      input: { $from: '/input' },
      timeoutMs: 60_000,
      retry: { attempts: 3, delayMs: 1000, factorMilli: 2000, maxDelayMs: 300_000, jitter: true },
      forEach: null,
      compensate: null,
    },
  ],
}

/**
 * Puts finished one-step jobs into the state of a node that was stopped in good order, as the ledger
 * machine makes their rows. One arc after the other and in order of their keys: that is what makes it
 * fast, and the tree on the disk holds the same rows in any case.
 *
 * The log knows nothing of them, as it knows nothing of any job whose entries it has given up. The
 * applied index of each arc stays what it was, or the node would miss the entries behind it.
 */
export function storeJobs(dataFolder: string, arcCount: number, jobs: number): void {
  const table = SqliteTable.open(join(dataFolder, 'state'))
  const filling = new Filling(table, arcCount)
  for (let arc = 0; arc < arcCount; arc += 1) {
    filling.fillArc(
      arc,
      Math.floor(((arc + 1) * jobs) / arcCount) - Math.floor((arc * jobs) / arcCount),
    )
  }
  table.checkpoint()
  table.close()
}

class Filling {
  readonly #ledger: LedgerNode
  readonly #applied: Map<number, number>
  readonly #arcCount: number
  readonly #begun = Date.now() - AGE_MS

  constructor(table: Table, arcCount: number) {
    const overlay = new Overlay(new SameApplied(table, arcCount))
    this.#arcCount = arcCount
    this.#applied = new Map(overlay.appliedArcs())
    this.#ledger = new LedgerNode({
      overlay,
      self: SELF,
      arcCount,
      hash: (text) => hash('sha256', text).slice(0, 32),
    })
  }

  fillArc(arc: number, jobs: number): void {
    const places = PLACES / this.#arcCount
    for (let n = 0; n < jobs; n += 1) {
      const place = arc * places + Math.floor((n * places) / jobs)
      const id = makeJobId(place, this.#begun + n, n.toString(16).padStart(16, '0'))
      this.#addJob(arc, id, this.#begun + n)
      if (n % FLUSH_EVERY === FLUSH_EVERY - 1) this.#flush()
    }
    this.#flush()
  }

  #addJob(arc: number, id: string, at: number): void {
    const input = { id: at, kind: 'noop', tenant: 'acme', at, submittedAt: at, padding: PADDING }
    this.#entry(arc, at, { kind: 'submit', id, plan: PLAN, input }, true)
    const attempt = { job: id, run: 1, step: 'main', index: null, hook: 'run', attempt: 1 } as const
    const outcome = { kind: 'succeeded', output: { startedAt: at } } as const
    this.#entry(arc, at + 5, { kind: 'finish-attempt', attempt, outcome }, false)
  }

  #entry(arc: number, t: number, c: Command, starts: boolean): void {
    const index = (this.#applied.get(arc) ?? 0) + 1
    this.#applied.set(arc, index)
    const grant = { g: { ...SELF, slots: { 'bench.noop': 1 } } }
    const body: EntryBody = { t, s: 1, ...(starts ? grant : {}), c }
    const text = JSON.stringify(body)
    this.#ledger.step({ kind: 'entry', arc, term: 1, index, request: 0, body: text })
  }

  #flush(): void {
    this.#ledger.takeOutputs()
    while (this.#ledger.flush(Number.MAX_SAFE_INTEGER) > 0) continue
  }
}

/** A table on which arcs never get further: their rows change, their applied index does not. */
class SameApplied implements Table {
  readonly #table: Table
  readonly #indexes: ReadonlySet<string>

  constructor(table: Table, arcCount: number) {
    this.#table = table
    this.#indexes = new Set(Array.from({ length: arcCount }, (_, arc) => appliedKey(arc)))
  }

  get(key: string): string | undefined {
    return this.#table.get(key)
  }

  scan(from: string, to: string, limit: number, reverse: boolean) {
    return this.#table.scan(from, to, limit, reverse)
  }

  commit(changes: readonly TableChange[]): void {
    this.#table.commit(changes.filter(({ key }) => !this.#indexes.has(key)))
  }

  clear(from: string, to: string): void {
    this.#table.clear(from, to)
  }

  checkpoint(): void {
    this.#table.checkpoint()
  }
}

const SELF = { node: '0'.repeat(32), boot: 1 }
const PADDING = 'x'.repeat(110)
