import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Json } from '@gyre/jobs'
import type { JobRow } from './job-row.js'
import { endOf, keys } from './rows-layout.js'
import { LedgerHarness } from './testing/ledger-harness.js'
import { ONCE, planOf, retry, type StepSketch } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

function fanOf(forEach: StepSketch['forEach'] & object, more: StepSketch = {}): StepSketch {
  return { input: { item: { $from: '/item' }, at: { $from: '/index' } }, forEach, ...more }
}

function inputs(ledger: LedgerHarness): Json[] {
  return [...ledger.running.values()].map(({ body }) => JSON.parse(body).input)
}

test('items run side by side up to the concurrency, each with its item and index', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { $from: '/input/names' }, concurrency: 2 }
  const id = ledger.submit(planOf({ each: fanOf(forEach) }), { input: { names: ['x', 'y', 'z'] } })
  assert.deepEqual(inputs(ledger), [
    { item: 'x', at: 0 },
    { item: 'y', at: 1 },
  ])
  ledger.succeed('each', 'Y', { index: 1 })
  assert.deepEqual(inputs(ledger), [
    { item: 'x', at: 0 },
    { item: 'z', at: 2 },
  ])
  ledger.succeed('each', 'Z', { index: 2 })
  ledger.succeed('each', 'X', { index: 0 })
  const job = ledger.job(id)
  assert.equal(job.status, 'succeeded')
  assert.deepEqual(job['output'], ['X', 'Y', 'Z'])
})

test('fan-out of m and join take 1 + m entries', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ each: fanOf({ items: { range: 5 } }), join: { needs: ['each'] } })
  const id = ledger.submit(plan)
  for (let index = 0; index < 5; index += 1) ledger.succeed('each', index, { index })
  assert.equal(ledger.index, 1 + 5)
  ledger.succeed('join')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('no items at all make a step that has succeeded with an empty array', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ each: fanOf({ items: [] }) }))
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.deepEqual(ledger.job(id)['output'], [])
})

test('one ready row stands for all items that may start', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ each: fanOf({ items: { range: 100_000 }, concurrency: 64 }) })
  ledger.submit(plan, { slots: {} })
  assert.deepEqual(ledger.ready, { work: 64 })
  assert.equal(ledger.rows.scan('r/', 'r0', 100).length, 1)
  ledger.apply({ kind: 'start' }, { work: 3 })
  assert.deepEqual(ledger.ready, { work: 61 })
})

test('slots go to the items of the fan that became ready first, as many as it may start', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ each: { forEach: { items: { range: 3 }, concurrency: 3 } } })
  const first = ledger.submit(plan, { slots: {} })
  ledger.now += 1
  const second = ledger.submit(plan, { slots: {} })
  ledger.apply({ kind: 'start' }, { work: 4 })
  const jobs = [...ledger.running.values()].map(({ job }) => job)
  assert.deepEqual(jobs, [first, first, first, second])
})

test('an item that waits for its next attempt keeps its place of the concurrency', () => {
  const ledger = new LedgerHarness()
  ledger.submit(planOf({ each: fanOf({ items: { range: 3 }, concurrency: 1 }) }))
  ledger.fail('each', { index: 0 })
  assert.equal(ledger.running.size, 0)
  assert.deepEqual(ledger.ready, {})
  ledger.pass(1000)
  ledger.succeed('each', 'ok', { index: 0 })
  assert.equal(ledger.running.size, 1)
})

test('onItemError fail: the first item to fail stops the others and fails the job', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ each: fanOf({ items: { range: 3 } }, { retry: ONCE }) }))
  ledger.succeed('each', 'ok', { index: 0 })
  ledger.fail('each', { index: 1 })
  assert.equal(ledger.aborted.length, 1)
  ledger.end(ledger.attemptOf('each', { index: 2 }), { kind: 'cancelled' })
  const job = ledger.job(id)
  assert.equal(job.status, 'failed')
  assert.deepEqual(job['error'], { code: 'broken', message: 'item 1: it broke', retryable: true })
})

test('onItemError continue: failed items leave null in the collected array', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 2 }, onItemError: 'continue' as const }
  const id = ledger.submit(planOf({ each: fanOf(forEach, { retry: ONCE }) }))
  ledger.fail('each', { index: 0 })
  ledger.succeed('each', 'ok', { index: 1 })
  assert.deepEqual(ledger.job(id)['output'], [null, 'ok'])
})

test('collect count and none keep the output small', () => {
  for (const [collect, output] of [
    ['count', { count: 2, failed: 0 }],
    ['none', null],
  ] as const) {
    const ledger = new LedgerHarness()
    const id = ledger.submit(planOf({ each: fanOf({ items: { range: 2 }, collect }) }))
    for (const index of [0, 1]) ledger.succeed('each', 'x', { index })
    assert.deepEqual(ledger.job(id)['output'], output)
  }
})

test('an array over 256 KiB is not collected, and whoever points into it fails', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({
    each: fanOf({ items: { range: 2 } }),
    sum: { needs: ['each'], input: { $from: '/steps/each/output' } },
  })
  const id = ledger.submit(plan)
  // Two strings of 131,070 characters: 2 × 131,072 bytes with their quotes, 1 comma, 2 brackets.
  const half = 'x'.repeat(128 * 1024 - 2)
  for (const index of [0, 1]) ledger.succeed('each', half, { index })
  const itemsUrl = `/v1/jobs/${id}/steps/each/items`
  assert.deepEqual(ledger.step(id, 'each')['output'], { count: 2, failed: 0, itemsUrl })
  const job = ledger.job(id)
  assert.equal(job.status, 'failed')
  assert.equal(JSON.stringify(job['error']).includes('input_too_large'), true)
})

test('an array of exactly 256 KiB is collected', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ each: fanOf({ items: { range: 2 } }) }))
  const total = 256 * 1024 - '["",""]'.length
  const [first, second] = ['x', 'x'.repeat(total - 1)]
  ledger.succeed('each', first, { index: 0 })
  ledger.succeed('each', second, { index: 1 })
  assert.equal(JSON.stringify(ledger.job(id)['output']).length, 256 * 1024)
})

test('what is no array and no range, or too many items, fails the step with a reason', () => {
  for (const [items, code] of [
    ['text', 'items_invalid'],
    [{ range: -1 }, 'items_invalid'],
    [{ range: 100_001 }, 'too_many_items'],
    [undefined, 'input_unresolved'],
  ] as const) {
    const ledger = new LedgerHarness()
    const input = items === undefined ? {} : { items }
    const id = ledger.submit(planOf({ each: fanOf({ items: { $from: '/input/items' } }) }), {
      input,
    })
    const job = ledger.job(id)
    assert.equal(job.status, 'failed')
    assert.equal(JSON.stringify(job['error']).includes(`"${code}"`), true, code)
  }
})

test('the items of a step are undone side by side, only those that are done or unknown', () => {
  const ledger = new LedgerHarness()
  const more = { compensate: { input: { undo: { $from: '/item' } } }, retry: ONCE }
  const plan = planOf({
    each: fanOf({ items: ['p', 'q', 'r'], onItemError: 'continue' }, more),
    bad: { needs: ['each'], retry: ONCE },
  })
  const id = ledger.submit(plan)
  ledger.succeed('each', 1, { index: 0 })
  ledger.fail('each', { index: 1 })
  ledger.end(ledger.attemptOf('each', { index: 2 }), { kind: 'timed_out' })
  ledger.fail('bad')
  assert.deepEqual(inputs(ledger), [{ undo: 'p' }, { undo: 'r' }])
  for (const attempt of [...ledger.running.keys()]) {
    ledger.end(attempt, { kind: 'succeeded', output: null })
  }
  assert.equal(ledger.job(id).status, 'compensated')
})

test("a hook template sees its own item's output as the step's, null where it is unknown", () => {
  const ledger = new LedgerHarness()
  const input = { of: { $from: '/item' }, gave: { $from: '/steps/each/output/made' } }
  const more = { compensate: { input }, retry: ONCE }
  const plan = planOf({
    each: fanOf({ items: ['p', 'q'], onItemError: 'continue', collect: 'none' }, more),
    bad: { needs: ['each'], retry: ONCE },
  })
  ledger.submit(plan)
  ledger.succeed('each', { made: 7 }, { index: 0 })
  ledger.end(ledger.attemptOf('each', { index: 1 }), { kind: 'timed_out' })
  ledger.fail('bad')
  const expected = [
    { of: 'p', gave: 7 },
    { of: 'q', gave: null },
  ]
  assert.deepEqual(inputs(ledger), expected)
})

test('a failed compensation of an item lets the running ones end, then waits for the operator', () => {
  const ledger = new LedgerHarness()
  const more = { compensate: { retry: ONCE } }
  const plan = planOf({
    each: fanOf({ items: { range: 4 }, concurrency: 2 }, more),
    bad: { needs: ['each'], retry: ONCE },
  })
  const id = ledger.submit(plan)
  for (let index = 0; index < 4; index += 1) ledger.succeed('each', index, { index })
  ledger.fail('bad')
  const undoing = (index: number): string => ledger.attemptOf('each', { index, hook: 'compensate' })
  ledger.end(undoing(0), { kind: 'timed_out' })
  assert.equal(ledger.running.size, 1)
  ledger.end(undoing(1), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(id).status, 'compensation_failed')
  ledger.apply({ kind: 'retry', id }, { 'undo.each': 10 })
  for (const index of [0, 2, 3]) ledger.end(undoing(index), { kind: 'succeeded', output: null })
  assert.equal(ledger.job(id).status, 'compensated')
})

test('a retried job runs the items again that failed or were stopped, and keeps the others', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ each: fanOf({ items: { range: 5 }, concurrency: 3 }, { retry: ONCE }) })
  const id = ledger.submit(plan)
  ledger.succeed('each', 'kept', { index: 0 })
  ledger.fail('each', { index: 1 })
  for (const index of [2, 3]) ledger.end(ledger.attemptOf('each', { index }), { kind: 'cancelled' })
  assert.equal(ledger.job(id).status, 'failed')
  ledger.apply({ kind: 'retry', id }, { work: 10 })
  for (const index of [1, 2, 3, 4]) ledger.succeed('each', index, { index })
  assert.deepEqual(ledger.job(id)['output'], ['kept', 1, 2, 3, 4])
})

test('an item tried again after a timeout gets its own retry delay', () => {
  const ledger = new LedgerHarness()
  const more = { retry: retry(2, { delayMs: 70 }), timeoutMs: 30 }
  ledger.submit(planOf({ each: fanOf({ items: { range: 1 } }, more) }))
  const first = ledger.attemptOf('each', { index: 0 })
  ledger.pass(30)
  ledger.end(first, { kind: 'timed_out' })
  ledger.pass(69)
  assert.equal(ledger.running.size, 0)
  ledger.pass(1)
  assert.match(ledger.attemptOf('each', { index: 0 }), /\.2$/)
})

test('an attempt hints at the services that its success may make ready', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({
    each: fanOf({ items: { range: 2 }, concurrency: 1 }),
    join: { service: 'join', needs: ['each'], compensate: true },
    last: { service: 'last', needs: ['join'], retry: ONCE },
  })
  ledger.submit(plan)
  const hints = (): readonly string[] => [...ledger.running.values()].flatMap(({ next }) => next)
  assert.deepEqual(hints(), ['work'])
  ledger.succeed('each', null, { index: 0 })
  assert.deepEqual(hints(), ['work', 'join'])
  ledger.succeed('each', null, { index: 1 })
  assert.deepEqual(hints(), ['last'])
  ledger.succeed('join')
  assert.deepEqual(hints(), [])
})

test('an array is put together in the order of the items, however they end and are retried', () => {
  const ledger = new LedgerHarness()
  const count = 600
  const forEach = { items: { range: count }, concurrency: count }
  const id = ledger.submit(planOf({ each: fanOf(forEach, { retry: ONCE }) }))
  for (let index = count - 1; index > 300; index -= 1) ledger.succeed('each', index, { index })
  ledger.fail('each', { index: 300 })
  for (let index = 0; index < 300; index += 1) {
    ledger.end(ledger.attemptOf('each', { index }), { kind: 'cancelled' })
  }
  ledger.apply({ kind: 'retry', id }, { work: 1000 })
  for (let index = 0; index <= 300; index += 1) ledger.succeed('each', index, { index })
  assert.deepEqual(
    ledger.job(id)['output'],
    Array.from({ length: count }, (_, index) => index),
  )
  assert.equal(ledger.rows.scan(`j/${id}/c/`, `j/${id}/c0`, 10).length, 0)
  checkRows(ledger.rows)
})

test('an array that was too large once is not put together when a failure is taken back', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 4 }, concurrency: 4 }
  const id = ledger.submit(planOf({ each: fanOf(forEach, { retry: ONCE }) }))
  // With the null of the failed item it is 2 bytes too large, without it 2 short of the limit.
  ledger.succeed('each', 'x'.repeat(256 * 1024 - 10), { index: 0 })
  ledger.fail('each', { index: 1 })
  ledger.succeed('each', 2, { index: 2 })
  ledger.end(ledger.attemptOf('each', { index: 3 }), { kind: 'cancelled' })
  ledger.apply({ kind: 'retry', id }, { work: 10 })
  for (const index of [1, 3]) ledger.succeed('each', index, { index })
  const itemsUrl = `/v1/jobs/${id}/steps/each/items`
  assert.deepEqual(ledger.job(id)['output'], { count: 4, failed: 0, itemsUrl })
})

test('stopping, retrying and undoing a large forEach reads only the items that matter', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 3000 }, concurrency: 2, onItemError: 'continue' as const }
  const fan = fanOf(forEach, { retry: ONCE, compensate: { service: 'undo' } })
  const id = ledger.submit(planOf({ each: fan, last: { needs: ['each'], retry: ONCE } }))
  for (let index = 0; index < 2998; index += 1) {
    if (index % 1000 === 999) ledger.succeed('each', index, { index })
    else ledger.fail('each', { index })
  }
  const reads = countItemReads(ledger)
  ledger.apply({ kind: 'cancel', id, compensate: true }, { undo: 10 })
  for (const index of [2998, 2999]) {
    ledger.end(ledger.attemptOf('each', { index }), { kind: 'cancelled' }, { undo: 10 })
  }
  assert.deepEqual(
    [...ledger.running.values()].map(({ item }) => item),
    [999, 1999],
  )
  for (const index of [999, 1999, 2998, 2999]) {
    ledger.end(ledger.attemptOf('each', { index, hook: 'compensate' }), {
      kind: 'succeeded',
      output: null,
    })
  }
  assert.equal(ledger.job(id).status, 'compensated')
  assert.ok(reads() < 100, `${reads()} items were read`)
  checkRows(ledger.rows)
})

test('a forEach that an earlier version began is stopped and undone by looking at each item', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 4 }, concurrency: 4 }
  const fan = fanOf(forEach, { retry: ONCE, compensate: { service: 'undo' } })
  const id = ledger.submit(planOf({ each: fan }))
  forgetIndexes(ledger, id)
  ledger.succeed('each', 0, { index: 0 })
  ledger.fail('each', { index: 1 })
  assert.equal(ledger.aborted.length, 2)
  for (const index of [2, 3]) {
    ledger.end(ledger.attemptOf('each', { index }), { kind: 'cancelled' }, { undo: 10, work: 10 })
  }
  assert.deepEqual(
    [...ledger.running.values()].map(({ item }) => item),
    [0, 2, 3],
  )
})

/** As rows were before items had an index. */
function forgetIndexes(ledger: LedgerHarness, id: string): void {
  const row = ledger.rows.get<JobRow>(keys.job(id))
  assert.ok(row)
  const steps = row.steps.map((step) => {
    const { indexed: _, ...fan } = step.fan ?? {}
    return { ...step, fan: step.fan === null ? null : fan }
  })
  ledger.rows.put(keys.job(id), { ...row, steps })
  for (const prefix of [keys.openItems(id, 'each'), keys.itemsToUndo(id, 'each')]) {
    for (const { key } of ledger.rows.scan(prefix, endOf(prefix), 100)) ledger.rows.delete(key)
  }
}

/** @returns what tells how many rows of items were read since */
function countItemReads({ rows }: LedgerHarness): () => number {
  const gets = mock.method(rows, 'get').mock
  const scans = mock.method(rows, 'scan').mock
  return () => {
    const single = gets.calls.filter(({ arguments: [key] }) => key.includes('/i/'))
    const pages = scans.calls.filter(({ arguments: [from] }) => from.includes('/i/'))
    return pages.reduce((sum, { result }) => sum + (result?.length ?? 0), single.length)
  }
}

test('a job whose items wait for their next attempts says until when, and so does its explanation', () => {
  const ledger = new LedgerHarness()
  const each = { forEach: { items: [1, 2, 3] }, retry: retry(3, { delayMs: 5000 }) }
  const id = ledger.submit(planOf({ each }))
  ledger.succeed('each', null, { index: 1 })
  ledger.fail('each', { index: 2 })
  const until = new Date(ledger.now + 5000).toISOString()
  ledger.now += 1000
  ledger.fail('each', { index: 0 })
  const job = ledger.job(id)
  assert.deepEqual([job.status, job['waitingFor']], ['waiting', { kind: 'retry', until }])
  const reply = ledger.query({ kind: 'explain', id, offers: {} })
  assert.ok(reply.ok)
  const [reason] = JSON.parse(reply.body ?? '{}').reasons
  assert.deepEqual([reason.code, reason.items, reason.until], ['backoff', 2, until])
})

test('items whose places became free later start before whatever is behind them in the queue', () => {
  for (const [priority, later] of [
    [9, 5],
    [5, 5],
  ] as const) {
    const ledger = new LedgerHarness()
    const plan = planOf({ each: fanOf({ items: { range: 6 }, concurrency: 2 }) })
    const fan = ledger.submit(plan, { priority, slots: { work: 1 } })
    ledger.now += 1
    ledger.end(ledger.attemptOf('each', { index: 0 }), { kind: 'succeeded', output: null }, {})
    ledger.now += 1
    ledger.submit(planOf({ main: {} }), { priority: later, slots: {} })
    ledger.now += 1
    ledger.apply({ kind: 'start' }, { work: 2 })
    const started = [...ledger.running.values()].map(({ job, item }) => [job, item])
    assert.deepEqual(started, [
      [fan, 1],
      [fan, 2],
    ])
  }
})
