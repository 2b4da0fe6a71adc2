import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeJobId } from '../../base/ids.js'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { TableRow } from '../state/table.js'
import type { AttemptRef, Command } from './command.js'
import { LedgerNode } from './ledger-node.js'
import { toyHash } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'

/** A table that notes what is looked for in it. */
class WatchedTable extends MemoryTable {
  looks: string[] = []

  override get(key: string): string | undefined {
    this.looks.push(key.slice(4))
    return super.get(key)
  }

  override scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    this.looks.push(`${from.slice(4)} …`)
    return super.scan(from, to, limit, reverse)
  }
}

const NODE = 'a'.repeat(32)

/** One arc over a watched table, and how an entry is applied to it; a submission has a slot. */
function setup(): { table: WatchedTable; node: LedgerNode; apply: (command: Command) => void } {
  const table = new WatchedTable()
  const overlay = new Overlay(table)
  const self = { node: NODE, boot: 1 }
  const node = new LedgerNode({ overlay, self, arcCount: 1, hash: toyHash })
  let index = 0
  const apply = (c: Command): void => {
    index += 1
    const grant = c.kind === 'submit' ? { g: { ...self, slots: { x: 1 } } } : {}
    const body = JSON.stringify({ t: 1000 + index, s: index, ...grant, c })
    node.step({ kind: 'entry', arc: 0, term: 1, index, request: index, body })
    node.takeOutputs()
  }
  return { table, node, apply }
}

test('a short job looks into the table for its own ID and for the next timer, and for nothing else', () => {
  const { table, node, apply } = setup()
  const run = (n: number): string => {
    const job = makeJobId(0, 1000, n.toString(16).padStart(16, '0'))
    const plan = planOf({ main: { service: 'x' } })
    apply({ kind: 'submit', id: job, plan, input: null })
    const step = 'main'
    const attempt: AttemptRef = { job, run: 1, step, index: null, hook: 'run', attempt: 1 }
    apply({ kind: 'finish-attempt', attempt, outcome: { kind: 'succeeded', output: null } })
    return job
  }
  run(1)
  node.flush(1000)
  run(2)
  table.looks = []
  const job = run(3)
  const isTimer = (look: string): boolean => look.startsWith('t/') || look.startsWith('q/')
  assert.deepEqual(
    table.looks.filter((look) => !isTimer(look)),
    [`j/${job}`],
  )
})
