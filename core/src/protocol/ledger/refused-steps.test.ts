import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { Rows } from '../state/rows.js'
import type { RefusedService } from './command.js'
import { Ledger } from './ledger.js'
import { REFUSED_TOLD_PER_ENTRY } from './limits.js'
import { keys } from './rows-layout.js'
import { LedgerHarness, PLENTY, toyHash } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

const NO_GPU: RefusedService = {
  service: 'draw',
  reason: 'labels',
  text: 'it runs where gpu=yes, and this node has no gpu',
}
const TOO_LARGE: RefusedService = {
  service: 'draw',
  reason: 'memory',
  text: 'one attempt takes memoryMb=4000 and the node has 1000',
}
const DRAWING = planOf({ main: { service: 'draw' } })
const NONE = { slots: {} }

function refuse(ledger: LedgerHarness, ...refused: RefusedService[]): void {
  ledger.apply({ kind: 'note-refusals', node: ledger.node, refused, lifted: [] })
  checkRows(ledger.rows)
}

function lift(ledger: LedgerHarness, ...lifted: string[]): void {
  ledger.apply({ kind: 'note-refusals', node: ledger.node, refused: [], lifted })
  checkRows(ledger.rows)
}

/** What the timeline tells of refusals: `step: reason`. */
function told(ledger: LedgerHarness, id: string): string[] {
  return ledger
    .history(id)
    .filter(({ type }) => type === 'service_refused')
    .map(({ step, hook, reason }) => `${step}${hook === undefined ? '' : ' undone'}: ${reason}`)
}

test('a job that waits is told that its service is refused: where, why, and what to do', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(DRAWING, NONE)
  refuse(ledger, NO_GPU)
  assert.deepEqual(ledger.history(id).at(-1), {
    seq: 2,
    at: new Date(ledger.now).toISOString(),
    type: 'service_refused',
    step: 'main',
    node: ledger.node,
    ...NO_GPU,
  })
})

test('a job that comes later is told in the entry that stores it', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const id = ledger.submit(DRAWING, NONE)
  assert.deepEqual(told(ledger, id), ['main: labels'])
})

test('a step that becomes ready later is told then, and a step of another service never', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const plan = planOf({ load: {}, show: { service: 'draw', needs: ['load'] } })
  const id = ledger.submit(plan)
  assert.deepEqual(told(ledger, id), [])
  ledger.end(ledger.attemptOf('load'), { kind: 'succeeded', output: null }, {})
  assert.deepEqual(told(ledger, id), ['show: labels'])
})

test('a task that starts in the entry that makes it ready has nothing to tell', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const id = ledger.submit(DRAWING)
  assert.deepEqual(told(ledger, id), [])
})

test('a job that starts in the entry that stores it costs no look at what is refused', () => {
  const rows = new Overlay(new MemoryTable()).rows(0)
  const looks: string[] = []
  const watched: Rows = {
    get: (key) => {
      looks.push(key)
      return rows.get(key)
    },
    put: (key, value) => rows.put(key, value),
    insert: (key, value) => rows.insert(key, value),
    delete: (key) => rows.delete(key),
    settle: (key) => rows.settle(key),
    firstKey: (from, to) => rows.firstKey(from, to),
    scan: (from, to, limit, reverse) => rows.scan(from, to, limit, reverse),
  }
  const ledger = new Ledger(watched, toyHash)
  const submit = (id: string, slots: Readonly<Record<string, number>>): number => {
    const command = { kind: 'submit', id, plan: DRAWING, input: null } as const
    looks.length = 0
    ledger.apply(
      { arc: 0, term: 1, index: 1 },
      { t: 1, s: 1, g: { node: 'n', boot: 1, slots }, c: command },
    )
    return looks.filter((key) => key.startsWith(keys.refusals)).length
  }
  assert.equal(submit('1'.repeat(32), { draw: 1 }), 0)
  assert.equal(submit('2'.repeat(32), {}), 1)
})

test('where slots are short, only what does not start is told', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const plan = planOf({ a: { service: 'draw' }, b: { service: 'draw' } })
  const first = ledger.submit(plan, { slots: { draw: 1 } })
  assert.deepEqual(told(ledger, first), ['b: labels'])
  const second = ledger.submit(DRAWING, { slots: { draw: 1 } })
  assert.equal(ledger.step(first, 'b').status, 'running')
  assert.deepEqual(told(ledger, second), ['main: labels'])
})

test('the same refusal is told once, however often it is noted and whatever was flushed', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(DRAWING, NONE)
  refuse(ledger, NO_GPU)
  refuse(ledger, NO_GPU)
  ledger.flush()
  ledger.crash()
  refuse(ledger, NO_GPU)
  lift(ledger, 'draw')
  refuse(ledger, NO_GPU)
  assert.deepEqual(told(ledger, id), ['main: labels'])
})

test('a crash after any slice of telling, written out or not, tells each job that waits once', () => {
  const count = 2 * REFUSED_TOLD_PER_ENTRY + 50
  for (let slices = 0; slices <= 3; slices += 1) {
    for (const isWritten of [false, true]) {
      const ledger = new LedgerHarness()
      const ids = Array.from({ length: count }, () => ledger.submit(DRAWING, NONE))
      refuse(ledger, NO_GPU)
      for (let slice = 0; slice < slices; slice += 1) ledger.pass(1, {})
      if (isWritten) ledger.flush()
      ledger.crash()
      refuse(ledger, NO_GPU)
      for (let slice = 0; slice < 3; slice += 1) ledger.pass(1, {})
      assert.equal(ledger.rows.get(keys.tellingDue()), undefined)
      const counts = ids.map((id) => told(ledger, id).length)
      assert.deepEqual([...new Set(counts)], [1])
      checkRows(ledger.rows)
    }
  }
})

test('another reason is told again', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(DRAWING, NONE)
  refuse(ledger, NO_GPU)
  refuse(ledger, TOO_LARGE)
  assert.deepEqual(told(ledger, id), ['main: labels', 'main: memory'])
})

test('once the service is taken, jobs start, and later ones are told nothing', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(DRAWING, NONE)
  refuse(ledger, NO_GPU)
  lift(ledger, 'draw')
  const later = ledger.submit(DRAWING, NONE)
  ledger.start()
  for (const attempt of [...ledger.running.keys()]) {
    ledger.end(attempt, { kind: 'succeeded', output: null })
  }
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.deepEqual(told(ledger, id), ['main: labels'])
  assert.deepEqual(told(ledger, later), [])
})

test('a step that has run and waits again is told again, each attempt once', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const id = ledger.submit(planOf({ main: { service: 'draw', retry: retry(3) } }), NONE)
  ledger.start()
  ledger.end(ledger.attemptOf('main'), { kind: 'lost', charged: false }, {})
  ledger.pass(600_000, {})
  assert.deepEqual(told(ledger, id), ['main: labels', 'main: labels'])
  refuse(ledger, NO_GPU)
  assert.equal(told(ledger, id).length, 2)
})

test('a new run is told anew, also of a step that has never run', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const plan = planOf({ fails: { retry: retry(1) }, main: { service: 'draw' } })
  const id = ledger.submit(plan, { slots: { work: 1 } })
  ledger.fail('fails')
  assert.equal(ledger.job(id).status, 'failed')
  ledger.apply({ kind: 'retry', id })
  assert.deepEqual(told(ledger, id), ['main: labels', 'main: labels'])
})

test('10,000 items of a forEach are told of as one', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 10_000 }, concurrency: 64 }
  const plan = planOf({ each: { service: 'draw', forEach } })
  const waiting = ledger.submit(plan, NONE)
  refuse(ledger, NO_GPU)
  const later = ledger.submit(plan, NONE)
  assert.deepEqual(told(ledger, waiting), ['each: labels'])
  assert.deepEqual(told(ledger, later), ['each: labels'])
})

test('items that are lost and wait for another attempt are told of once more', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 3 }, concurrency: 3 }
  const plan = planOf({ each: { service: 'draw', forEach } })
  const id = ledger.submit(plan)
  refuse(ledger, NO_GPU)
  for (const attempt of [...ledger.running.keys()]) {
    ledger.end(attempt, { kind: 'lost', charged: false }, {})
  }
  ledger.pass(600_000, {})
  assert.equal(ledger.ready['draw'], 3)
  assert.deepEqual(told(ledger, id), ['each: labels'])
})

test('a compensation whose service is refused is told as such', () => {
  const ledger = new LedgerHarness()
  refuse(ledger, NO_GPU)
  const compensate = { service: 'draw', hook: false }
  const plan = planOf({ a: { compensate }, b: { needs: ['a'], retry: retry(1) } })
  const id = ledger.submit(plan, { slots: { work: 1 } })
  ledger.end(ledger.attemptOf('a'), { kind: 'succeeded', output: null }, { work: 1 })
  ledger.end(
    ledger.attemptOf('b'),
    { kind: 'failed', error: { code: 'broken', message: '', retryable: true } },
    {},
  )
  assert.equal(ledger.job(id).status, 'compensating')
  assert.deepEqual(told(ledger, id), ['a undone: labels'])
})

test('a cancelled job is told nothing more', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(DRAWING, NONE)
  ledger.apply({ kind: 'cancel', id, compensate: false })
  refuse(ledger, NO_GPU)
  assert.deepEqual(told(ledger, id), [])
})

test('many that wait are told entry by entry, also when the process dies in between', () => {
  const ledger = new LedgerHarness()
  const count = 2 * REFUSED_TOLD_PER_ENTRY + 1
  const ids = Array.from({ length: count }, () => ledger.submit(DRAWING, NONE))
  const toldCount = (): number => ids.filter((id) => told(ledger, id).length === 1).length
  refuse(ledger, NO_GPU)
  assert.ok(ledger.said.some((one) => one.kind === 'timer' && one.at === 0))
  assert.equal(toldCount(), REFUSED_TOLD_PER_ENTRY)
  ledger.crash()
  ledger.pass(1, {})
  assert.equal(toldCount(), 2 * REFUSED_TOLD_PER_ENTRY)
  ledger.pass(1, {})
  assert.equal(toldCount(), count)
  assert.deepEqual(ledger.rows.scan('q/', 'q~', 1), [])
})

test('tasks of two services share the bound of an entry, and each is told of its own', () => {
  const ledger = new LedgerHarness()
  const other = { ...NO_GPU, service: 'print' }
  const plans = [DRAWING, planOf({ main: { service: 'print' } })]
  const ids = plans.flatMap((plan) => {
    return Array.from({ length: REFUSED_TOLD_PER_ENTRY }, () => ledger.submit(plan, NONE))
  })
  refuse(ledger, NO_GPU, other)
  const toldCount = (): number => ids.filter((id) => told(ledger, id).length === 1).length
  assert.equal(toldCount(), REFUSED_TOLD_PER_ENTRY)
  for (let entry = 0; entry < 3; entry += 1) ledger.pass(1, {})
  assert.equal(toldCount(), ids.length)
  assert.deepEqual(ledger.rows.scan('q/', 'q~', 1), [])
})

test('a telling that is under way ends when the service is taken again', () => {
  const ledger = new LedgerHarness()
  const count = REFUSED_TOLD_PER_ENTRY + 1
  const ids = Array.from({ length: count }, () => ledger.submit(DRAWING, NONE))
  refuse(ledger, NO_GPU)
  lift(ledger, 'draw')
  ledger.pass(1, {})
  assert.deepEqual(told(ledger, ids.at(-1) ?? ''), [])
  assert.deepEqual(ledger.rows.scan('q/', 'q~', 1), [])
})

test('a full timeline takes no more refusals, and the job goes on', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 6_000 }, concurrency: 6_000, onItemError: 'continue' as const }
  const each = { forEach, retry: retry(1) }
  const plan = planOf({ each, main: { service: 'draw', needs: ['each'] } })
  const id = ledger.submit(plan, { slots: { work: PLENTY * 6 } })
  for (const attempt of [...ledger.running.keys()]) {
    ledger.end(attempt, { kind: 'succeeded', output: null }, {})
  }
  refuse(ledger, NO_GPU)
  assert.deepEqual(told(ledger, id), [])
  ledger.start()
  ledger.succeed('main')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('after a term begins, the arc says which refusals it knows', () => {
  const ledger = new LedgerHarness()
  const said = (): unknown => {
    ledger.apply({ kind: 'term-start' })
    return ledger.said.find(({ kind }) => kind === 'refusals')
  }
  assert.equal(said(), undefined)
  refuse(ledger, NO_GPU)
  assert.deepEqual(said(), {
    kind: 'refusals',
    arc: 0,
    refused: [{ node: ledger.node, ...NO_GPU }],
  })
  lift(ledger, 'draw')
  assert.equal(said(), undefined)
})
