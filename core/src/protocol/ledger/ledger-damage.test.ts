import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arcOf } from '../../base/ids.js'
import type { FromLedger } from '../node/messages.js'
import { Overlay } from '../state/overlay.js'
import { RottenTable } from '../state/testing/rotten-table.js'
import { LedgerNode } from './ledger-node.js'
import { memoKey } from './memo-key.js'
import { toyHash } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'

const ALL = Number.MAX_SAFE_INTEGER
const RECORD_ROW = 'd/some-key'

/** Two arcs; records are written to each, and a later life finds what the table holds of them. */
class Bench {
  readonly table = new RottenTable()
  ledger: LedgerNode
  #request = 0

  constructor() {
    this.ledger = this.open()
  }

  open(): LedgerNode {
    const self = { node: 'n'.repeat(32), boot: 1 }
    const overlay = new Overlay(this.table, { freeze: true })
    this.ledger = new LedgerNode({ overlay, self, arcCount: 2, hash: toyHash })
    return this.ledger
  }

  put(arc: number, index: number): string[] {
    const id = `${arc === 0 ? '0' : 'f'}`.repeat(32)
    const c = { kind: 'put-record', key: 'some-key', id, value: index }
    return this.entry(arc, index, c)
  }

  entry(arc: number, index: number, c: object): string[] {
    this.#request += 1
    const body = JSON.stringify({ t: index, s: 1, c })
    this.ledger.step({ kind: 'entry', arc, term: 1, index, request: this.#request, body })
    return codes(this.ledger.takeOutputs())
  }

  ask(arc: number | null, query: object): string[] {
    this.#request += 1
    const body = JSON.stringify(query)
    this.ledger.step({ kind: 'query', request: this.#request, arc, body })
    return codes(this.ledger.takeOutputs())
  }

  /** A life later: nothing is in memory any more. */
  restart(): FromLedger[] {
    this.ledger.flush(ALL)
    return this.open().takeOutputs()
  }

  rotRecordOf(arc: number): void {
    const prefix = arc.toString(16).padStart(4, '0')
    const rows = this.table.scan(prefix, `${prefix}~`, ALL, false)
    const row = rows.find(({ key }) => key.includes(RECORD_ROW))
    assert.ok(row !== undefined, rows.map(({ key }) => key).join(' '))
    this.table.rot(row.key)
  }
}

function codes(outputs: readonly FromLedger[]): string[] {
  return outputs.flatMap((message) => {
    if (message.kind === 'stopped-arc') return [`stopped ${message.arc} ${message.code}`]
    if (message.kind === 'reply') return [message.reply.ok ? 'ok' : message.reply.code]
    return []
  })
}

const READ = { kind: 'record', key: 'some-key' }

function rotten(): Bench {
  const bench = new Bench()
  for (const arc of [0, 1]) bench.put(arc, 1)
  bench.restart()
  bench.rotRecordOf(0)
  return bench
}

test('a read that meets a rotten row stops that arc alone: it is told once, and refused from then on', () => {
  const bench = rotten()
  assert.deepEqual(bench.ask(0, READ), ['stopped 0 arc_unavailable', 'arc_unavailable'])
  assert.deepEqual(bench.ask(0, READ), ['arc_unavailable'])
  assert.deepEqual([bench.ask(1, READ), bench.put(1, 2)], [['ok'], ['ok']])
})

test('an entry that meets a rotten row is not applied by half, and is there when the arc was rebuilt', () => {
  const bench = rotten()
  assert.deepEqual(bench.put(0, 2), ['stopped 0 arc_unavailable', 'outcome_unknown'])
  assert.deepEqual(bench.put(0, 3), ['outcome_unknown'])
  const [loaded] = bench.restart()
  assert.ok(loaded?.kind === 'loaded')
  assert.deepEqual(
    [loaded.applied.map(([arc]) => arc), loaded.damaged?.map(([arc, , applied]) => [arc, applied])],
    [[1], [[0, 1]]],
  )
  assert.deepEqual(bench.ask(0, READ), ['arc_unavailable'])
  bench.ledger.step({ kind: 'rebuild', arc: 0 })
  for (const index of [1, 2, 3]) assert.deepEqual(bench.put(0, index), ['ok'])
  assert.deepEqual(bench.ask(0, READ), ['ok'])
  const [again] = bench.restart()
  assert.deepEqual(again?.kind === 'loaded' && [again.applied.length, again.damaged], [
    2,
    undefined,
  ])
})

test('what the scrub has found stops the arc as well, once, and nothing of it counts as durable any more', () => {
  const bench = rotten()
  bench.ledger.noteDamage({ arc: 0, key: '0000r', found: 'row 0000r has rotted' })
  assert.deepEqual(codes(bench.ledger.takeOutputs()), ['stopped 0 arc_unavailable'])
  bench.ledger.noteDamage({ arc: 0, key: '0000r', found: 'row 0000r has rotted' })
  assert.deepEqual(codes(bench.ledger.takeOutputs()), [])
  bench.ledger.checkpoint()
  const [durable] = bench.ledger.takeOutputs()
  assert.deepEqual(durable, { kind: 'durable', applied: [[1, 1]] }, 'its log is not given up')
})

test('a question to all arcs leaves out the one that is found to be damaged, and counts it as missing', () => {
  const bench = rotten()
  const reply = bench.ask(null, { kind: 'records', prefix: '', limit: 10 })
  assert.deepEqual(reply, ['stopped 0 arc_unavailable', 'ok'])
})

test('of an arc that stops while its attempts are sent out, none is sent behind that: their slots are free', () => {
  const bench = new Bench()
  const memo = memoKey(toyHash, 'work', '1.0.0', null)
  const arc = arcOf(memo, 2)
  const plan = planOf({ main: { memoize: { forMs: 1000, version: '1.0.0' } }, other: {} })
  bench.entry(arc, 1, { kind: 'keep-memo', key: memo, job: 'j', output: 1, forMs: 1000 })
  bench.restart()
  bench.table.rot(`000${arc}m/${memo}`)
  const grant = { node: 'n'.repeat(32), boot: 1, slots: { work: 2 } }
  const c = { kind: 'submit', id: memo, plan, input: null }
  const body = JSON.stringify({ t: 2, s: 1, g: grant, c })
  bench.ledger.step({ kind: 'entry', arc, term: 1, index: 2, request: 0, body })
  const said = bench.ledger.takeOutputs().map(({ kind }) => kind)
  assert.deepEqual(said, ['stopped-arc'])
})
