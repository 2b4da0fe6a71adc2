import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SqliteTable } from '@gyre/core/internal/adapters/sqlite-table.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { AppError } from '@gyre/core/internal/base/app-error.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import { Overlay } from '@gyre/core/internal/protocol/state/overlay.js'
import type { Table } from '@gyre/core/internal/protocol/state/table.js'
import fc from 'fast-check'
import { SimTable } from '../sim/sim-table.js'

/**
 * The overlay against a dumb model: per arc, a copy of all rows after every entry. Whatever happens,
 * an arc read after a restart must be exactly one of those copies, the one of its applied index, and
 * not an older one than the last checkpoint promised.
 */

const ARCS = [0, 1, 0xffff]
const LIMITS = { knownRowsMax: 6, knownCharsMax: 400, headMarksMax: 2, headCharsMax: 9 }

const ARC = fc.constantFrom(...ARCS)
const KEY = fc
  .tuple(fc.constantFrom('a', 'q', '\u00ff'), fc.nat({ max: 9 }))
  .map(([table, n]) => `${table}${n}`)
const BOUND = fc.oneof(KEY, fc.constantFrom('a', 'b', 'q', 'r', '\u00ff', '\u0100'))

const STEP = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('put'), arc: ARC, key: KEY, n: fc.nat() }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('delete'), arc: ARC, key: KEY }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle'), arc: ARC, key: KEY }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get'), arc: ARC, key: KEY }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('scan'),
      arc: ARC,
      from: BOUND,
      to: BOUND,
      limit: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })),
      reverse: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take-head'), arc: ARC }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill'), arc: ARC, count: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush'), rows: fc.nat({ max: 8 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('flush-full'), rows: fc.nat({ max: 8 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('end-entry'), arc: ARC }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash'), seed: fc.nat() }) },
)

type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never
type Row = { readonly n: number }

interface Store {
  readonly table: Table
  /** Ends the process, with or without a power cut. */
  crash(seed: number): Table
  setFull(full: boolean): void
}

class ArcModel {
  rows = new Map<string, Row>()
  index = 0
  /** Copies by index. */
  readonly history = new Map<number, Map<string, Row>>([[0, new Map()]])
  durable = 0

  endEntry(): number {
    this.index += 1
    this.history.set(this.index, new Map(this.rows))
    return this.index
  }

  scan(from: string, to: string, limit: number, reverse: boolean): { key: string; value: Row }[] {
    const found = [...this.rows].filter(([key]) => key >= from && key < to)
    found.sort(([a], [b]) => (a < b ? -1 : 1))
    if (reverse) found.reverse()
    return found.slice(0, limit).map(([key, value]) => ({ key, value }))
  }

  restartAt(index: number): void {
    const copy = this.history.get(index)
    assert.ok(copy !== undefined && index >= this.durable, `came back at ${index}`)
    this.rows = new Map(copy)
    this.index = index
  }
}

class Run {
  readonly #store: Store
  readonly #model = new Map(ARCS.map((arc) => [arc, new ArcModel()]))
  #overlay: Overlay

  constructor(store: Store) {
    this.#store = store
    this.#overlay = this.#load(store.table)
  }

  step(step: Step): void {
    if ('arc' in step) this.#stepArc(step, this.#arc(step.arc))
    else if ('seed' in step) this.#restart(this.#store.crash(step.seed))
    else if (step.kind === 'checkpoint') this.#checkpoint()
    else if ('rows' in step) this.#flush(step.rows, step.kind === 'flush-full')
  }

  #stepArc(step: Extract<Step, { arc: number }>, model: ArcModel): void {
    const rows = this.#overlay.rows(step.arc)
    if ('from' in step) {
      const { from, to, limit, reverse } = step
      const found = model.scan(from, to, limit, reverse)
      if (limit === 1 && !reverse) assert.equal(rows.firstKey(from, to), found[0]?.key)
      assert.deepEqual(rows.scan(from, to, limit, reverse), found)
    } else if ('n' in step) {
      rows.put(step.key, { n: step.n })
      model.rows.set(step.key, { n: step.n })
    } else if (step.kind === 'delete' && 'key' in step) {
      rows.delete(step.key)
      model.rows.delete(step.key)
    } else if (step.kind === 'settle') {
      rows.settle(step.key)
    } else if ('key' in step) {
      assert.deepEqual(rows.get(step.key), model.rows.get(step.key))
    } else if ('count' in step) {
      for (let n = 0; n < step.count; n += 1) {
        rows.put(`q${n}`, { n })
        model.rows.set(`q${n}`, { n })
      }
    } else if (step.kind === 'end-entry') {
      this.#overlay.setApplied(step.arc, model.endEntry())
    } else {
      const key = rows.firstKey('q', 'r')
      const [head] = rows.scan('q', 'r', 1)
      assert.deepEqual([key, head], [head?.key, model.scan('q', 'r', 1, false)[0]])
      if (head !== undefined) {
        rows.delete(head.key)
        model.rows.delete(head.key)
      }
    }
  }

  /** Whoever flushes does it between entries. */
  #flush(maxRows: number, full: boolean): void {
    for (const [arc, model] of this.#model) this.#overlay.setApplied(arc, model.endEntry())
    const before = this.#overlay.dirtyRowCount
    this.#store.setFull(full)
    try {
      const written = this.#overlay.flush(maxRows)
      assert.equal(this.#overlay.dirtyRowCount, before - written)
      assert.ok(written >= Math.min(maxRows, before))
    } catch (error) {
      assert.ok(full && error instanceof AppError && error.code === 'state_full')
      assert.equal(this.#overlay.dirtyRowCount, before)
    } finally {
      this.#store.setFull(false)
    }
  }

  #checkpoint(): void {
    for (const [arc, index] of this.#overlay.checkpoint()) this.#arc(arc).durable = index
  }

  #restart(table: Table): void {
    this.#overlay = this.#load(table)
    for (const [arc, model] of this.#model) {
      model.restartAt(this.#overlay.applied(arc))
      assert.deepEqual(
        this.#overlay.rows(arc).scan('', '\u0100', 1000),
        model.scan('', '\u0100', 1000, false),
      )
    }
  }

  #load(table: Table): Overlay {
    return new Overlay(table, { limits: LIMITS, freeze: true })
  }

  #arc(arc: number): ArcModel {
    const model = this.#model.get(arc)
    assert.ok(model !== undefined)
    return model
  }
}

const STEPS = fc.array(STEP, { minLength: 1, maxLength: 120, size: 'max' })

test('an arc comes back from a power cut exactly as it was after some entry', () => {
  const property = fc.property(STEPS, (steps) => {
    const table = new SimTable()
    const run = new Run({
      table,
      crash: (seed) => {
        table.crash(new Prng(seed))
        return table
      },
      setFull: (full) => {
        table.full = full
      },
    })
    for (const step of steps) run.step(step)
  })
  fc.assert(property, { numRuns: 1500, verbose: true })
})

test('an arc comes back from the end of the process exactly as it was last committed', (t) => {
  const parent = temporaryFolder(t)
  let cases = 0
  const property = fc.property(STEPS, (steps) => {
    cases += 1
    const folder = join(parent, String(cases))
    mkdirSync(folder)
    let table = SqliteTable.open(folder)
    const run = new Run({
      table,
      crash: () => {
        table.close()
        table = SqliteTable.open(folder)
        return table
      },
      setFull: () => {},
    })
    try {
      for (const step of steps) run.step(step)
    } finally {
      table.close()
    }
  })
  fc.assert(property, { numRuns: 40, verbose: true })
})
