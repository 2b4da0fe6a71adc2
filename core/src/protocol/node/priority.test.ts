import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arcOf, makeJobId } from '../../base/ids.js'
import { Prng } from '../../base/prng.js'
import { LedgerNode } from '../ledger/ledger-node.js'
import { toyHash } from '../ledger/testing/ledger-harness.js'
import { planOf } from '../ledger/testing/plans.js'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import { Engine } from './engine.js'
import { FAIRNESS_MS } from './limits.js'
import type { Dispatch } from './messages.js'

const SELF = { node: 'a'.repeat(32), boot: 1 }
const PLAN = planOf({ main: {} })

/** Engine and ledger of one node with one slot of `work`; the test is disk, clock and worker. */
class Node {
  readonly #arcCount: number
  readonly #engine: Engine
  readonly #ledger: LedgerNode
  #mono = 0
  #jobs = 0
  /** Dispatched attempts that have not ended. */
  readonly running: Dispatch[] = []

  constructor(arcCount: number) {
    this.#arcCount = arcCount
    const recovered = new Map()
    this.#engine = new Engine({ self: SELF, arcCount, recovered, prng: new Prng(1) })
    const overlay = new Overlay(new MemoryTable())
    this.#ledger = new LedgerNode({ overlay, self: SELF, arcCount, hash: toyHash })
    this.#engine.tick({ mono: 0, wall: 1_700_000_000_000 })
    this.#engine.onServices({ kind: 'offers', slots: { work: 1 }, totalSlots: 1, body: OFFERS })
    this.settle()
  }

  /**
   * @param inArc  consecutive jobs fall into consecutive arcs where it is left out
   * @returns the job's ID
   */
  submit(priority: number, inArc?: number, plan = PLAN): string {
    this.#jobs += 1
    const place = ((inArc ?? this.#jobs) % this.#arcCount) * (0x10000 / this.#arcCount)
    const id = makeJobId(place, 1_700_000_000_000, this.#jobs.toString(16).padStart(16, '0'))
    const arc = arcOf(id, this.#arcCount)
    const body = JSON.stringify({ kind: 'submit', id, plan, input: null, priority })
    const needs = ['work']
    this.#engine.onApi({ kind: 'propose', request: this.#jobs, arc, needs, sheddable: true, body })
    return id
  }

  pass(ms: number): void {
    this.#mono += ms
    this.#engine.tick({ mono: this.#mono, wall: 1_700_000_000_000 + this.#mono })
  }

  /** The running attempt succeeds. @returns the job that it was of */
  complete(): string {
    const ended = this.running.shift()
    assert.ok(ended, 'something runs')
    this.pass(1)
    const body = JSON.stringify({ kind: 'succeeded', output: null })
    this.#engine.onServices({ kind: 'ended', attempt: ended.attempt, body })
    return ended.job
  }

  /** Everything that is on its way arrives. */
  settle(): void {
    for (let moved = true; moved; ) {
      for (const message of this.#ledger.takeOutputs()) this.#engine.onLedger(message)
      const batch = this.#engine.takeBatch()
      if (batch !== null) this.#engine.onPersisted(batch.marks)
      const delivered = this.#engine.outputs.takeLedger()
      for (const message of delivered) {
        if (message.kind === 'entry' || message.kind === 'query') this.#ledger.step(message)
      }
      for (const message of this.#engine.outputs.takeServices()) {
        if (message.kind === 'dispatch') this.running.push(message)
      }
      moved = batch !== null || delivered.length > 0
    }
    this.#engine.outputs.takeApi()
  }
}

const OFFERS = JSON.stringify({ services: [{ name: 'work' }], jobs: [], failures: [] })

/** Completes jobs until that one runs. @returns how many had to be completed */
function completionsUntil(node: Node, id: string, most: number): number {
  for (let count = 0; count <= most; count += 1) {
    if (node.running[0]?.job === id) return count
    node.complete()
    node.settle()
  }
  return Infinity
}

test('with one slot and 10,000 waiting jobs of priority 0, one of priority 9 starts within 3 completions', () => {
  for (const arcCount of [1, 64]) {
    const node = new Node(arcCount)
    for (let job = 0; job < 10_000; job += 1) {
      node.submit(0)
      if (job % 1000 === 999) node.settle()
    }
    const urgent = node.submit(9)
    node.settle()
    assert.ok(completionsUntil(node, urgent, 3) <= 3, `${arcCount} arcs`)
  }
})

test('the urgent job goes first also when the running one ends before the node has seen it', () => {
  const node = new Node(16)
  for (let job = 0; job < 200; job += 1) node.submit(0)
  node.settle()
  const urgent = node.submit(9)
  node.complete()
  node.settle()
  assert.ok(completionsUntil(node, urgent, 3) <= 2)
})

test('one slot serves all arcs by priority, and inside a priority leaves no job behind for long', () => {
  const node = new Node(16)
  const priorityOf = new Map<string, number>()
  const blocker = node.submit(5)
  node.settle()
  for (let job = 0; job < 300; job += 1) {
    const priority = (job * 7) % 10
    priorityOf.set(node.submit(priority), priority)
  }
  node.settle()
  assert.equal(node.complete(), blocker)
  node.settle()
  const order: number[] = []
  while (node.running.length > 0) {
    order.push(priorityOf.get(node.complete()) ?? -1)
    node.settle()
  }
  assert.deepEqual(
    order,
    [...order].sort((a, b) => b - a),
  )
  assert.equal(order.length, 300)
})

test('jobs of one priority start roughly in the order of their submission, whatever arcs they are in', () => {
  const node = new Node(16)
  const blocker = node.submit(5)
  node.settle()
  // As batches do: many jobs into one arc, the next ones into another.
  const submitted: string[] = []
  for (const arc of [3, 1, 9, 1, 3, 12]) {
    node.pass(FAIRNESS_MS + 1)
    for (let job = 0; job < 50; job += 1) submitted.push(node.submit(5, arc))
    node.settle()
  }
  assert.equal(node.complete(), blocker)
  node.settle()
  const started: string[] = []
  while (node.running.length > 0) {
    started.push(node.complete())
    node.settle()
  }
  const batchOf = (id: string): number => Math.floor(submitted.indexOf(id) / 50)
  assert.deepEqual(started.map(batchOf), submitted.map(batchOf))
})

test('a job that comes later waits for the items that were ready before it, not for all of a forEach', () => {
  for (const arc of [0, 1]) {
    const node = new Node(16)
    const forEach = { items: { range: 500 }, concurrency: 10, onItemError: 'fail' as const }
    node.submit(5, 0, planOf({ main: { forEach } }))
    node.settle()
    node.pass(1)
    const later = node.submit(5, arc)
    node.settle()
    const count = completionsUntil(node, later, 20)
    assert.ok(count >= 9 && count <= 10, `${count} completions, arc ${arc}`)
  }
})

test('items of a forEach do not stand behind jobs that came after their places were free', () => {
  const node = new Node(16)
  const forEach = { items: { range: 500 }, concurrency: 10, onItemError: 'fail' as const }
  const fan = node.submit(5, 0, planOf({ main: { forEach } }))
  for (let job = 0; job < 40; job += 1) node.submit(5, 1)
  node.settle()
  const started: boolean[] = []
  for (let round = 0; round < 400; round += 1) {
    started.push(node.complete() === fan)
    // There are always forty jobs that wait beside it.
    if (started.at(-1) === false) node.submit(5, 1)
    node.settle()
  }
  // Ten of fifty that wait are items; those whose places became free one by one count as one age.
  const items = started.filter((isItem) => isItem).length
  assert.ok(items >= 40 && items <= 160, `${items} of 400 starts were items`)
})
