import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, WhenPlan } from '@gyre/jobs'
import { LedgerHarness } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

function equals(from: string, value: Json): WhenPlan {
  return { from, is: { kind: 'equals', value } }
}

function exists(from: string, wanted = true): WhenPlan {
  return { from, is: { kind: 'exists', exists: wanted } }
}

function statuses(ledger: LedgerHarness, id: string): Record<string, string> {
  return Object.fromEntries(ledger.job(id).steps.map(({ name, status }) => [name, status]))
}

function runningSteps(ledger: LedgerHarness): string[] {
  return [...ledger.running.values()].map(({ step }) => step)
}

test('a step runs only when its condition is met, else it is skipped and the job succeeds without it', () => {
  const cases: [WhenPlan, Json, boolean][] = [
    [equals('/input/a', 1), { a: 1 }, true],
    [equals('/input/a', 1), { a: 2 }, false],
    [equals('/input/a', 1), {}, false],
    [equals('/input/a', null), {}, false],
    [equals('/input', { a: 1, b: [2] }), { b: [2], a: 1 }, true],
    [equals('/input', { a: 1 }), { a: 1, b: 2 }, false],
    [exists('/input/a'), { a: null }, true],
    [exists('/input/a'), {}, false],
    [exists('/input/a', false), {}, true],
    [exists('/input/a', false), { a: false }, false],
  ]
  for (const [when, input, runs] of cases) {
    const ledger = new LedgerHarness()
    const id = ledger.submit(planOf({ first: {}, maybe: { when } }), { input })
    const said = JSON.stringify([when, input])
    assert.deepEqual(runningSteps(ledger), runs ? ['first', 'maybe'] : ['first'], said)
    ledger.succeed('first')
    if (runs) ledger.succeed('maybe')
    assert.equal(ledger.job(id).status, 'succeeded', said)
    assert.equal(statuses(ledger, id)['maybe'], runs ? 'succeeded' : 'skipped', said)
    assert.deepEqual(ledger.job(id)['progress'], { done: 2, total: 2 })
    checkRows(ledger.rows)
  }
})

test('a condition on a step is looked at when that step has succeeded', () => {
  const ledger = new LedgerHarness()
  const when = equals('/steps/check/output/fine', true)
  const id = ledger.submit(planOf({ check: {}, go: { needs: ['check'], when } }))
  assert.deepEqual(runningSteps(ledger), ['check'])
  ledger.succeed('check', { fine: true })
  assert.deepEqual(runningSteps(ledger), ['go'])
  ledger.succeed('go')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('what needs a skipped step is skipped with it, along the whole chain', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({
      a: { when: exists('/input/a') },
      b: { needs: ['a'] },
      c: { needs: ['b', 'other'] },
      other: {},
    }),
    { input: {} },
  )
  assert.deepEqual(runningSteps(ledger), ['other'])
  ledger.succeed('other')
  assert.deepEqual(statuses(ledger, id), {
    a: 'skipped',
    b: 'skipped',
    c: 'skipped',
    other: 'succeeded',
  })
  const told = ledger.history(id).filter(({ type }) => type === 'step_skipped')
  assert.deepEqual(
    told.map(({ step, need }) => [step, need]),
    [
      ['a', undefined],
      ['b', 'a'],
      ['c', 'b'],
    ],
  )
})

test('a step that runs without a skipped need is given null for what that would have given', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({
      left: { when: equals('/input/way', 'left') },
      right: { when: equals('/input/way', 'right') },
      join: {
        needs: ['left', 'right'],
        onSkippedNeed: 'run',
        input: [{ $from: '/steps/left/output/id' }, { $from: '/steps/right/output/id' }],
      },
    }),
    { input: { way: 'right' } },
  )
  ledger.succeed('right', { id: 7 })
  const [join] = ledger.running.values()
  assert.deepEqual(JSON.parse(join?.body ?? '').input, [null, 7])
  ledger.succeed('join')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('a pointer into a step that succeeded must lead somewhere, also where needs may be skipped', () => {
  const ledger = new LedgerHarness()
  const input = { $from: '/steps/a/output/missing' }
  const id = ledger.submit(planOf({ a: {}, b: { needs: ['a'], onSkippedNeed: 'run', input } }))
  ledger.succeed('a', {})
  assert.equal(JSON.stringify(ledger.job(id)['error']).includes('input_unresolved'), true)
})

test('a skipped forEach has no items, and a job of skipped steps only succeeds at once', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 3 } }
  const id = ledger.submit(planOf({ each: { forEach, when: exists('/input/x') } }), { input: {} })
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(ledger.job(id)['output'], null)
  const items = ledger.query({ kind: 'items', id, step: 'each', after: -1, limit: 10 })
  assert.equal(items.ok && items.body, '{"items":[],"more":false}')
})

test('a skipped step stays skipped in the next run, and nothing of it is undone', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({
      maybe: { when: exists('/input/x'), compensate: true },
      last: { needs: ['maybe'], onSkippedNeed: 'run' },
    }),
    { input: {} },
  )
  ledger.fail('last', { retryable: false })
  assert.equal(ledger.job(id).status, 'failed')
  ledger.apply({ kind: 'retry', id }, { work: 10 })
  assert.deepEqual(runningSteps(ledger), ['last'])
  ledger.succeed('last')
  assert.equal(ledger.job(id).status, 'succeeded')
  assert.equal(statuses(ledger, id)['maybe'], 'skipped')
})

test('what needs a failed step is not skipped: it runs in the run in which that succeeds', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {}, b: { needs: ['a'] } }))
  ledger.fail('a', { retryable: false })
  assert.equal(
    ledger.history(id).some(({ type }) => type === 'step_skipped'),
    false,
  )
  ledger.apply({ kind: 'retry', id }, { work: 10 })
  ledger.succeed('a')
  ledger.succeed('b')
  assert.equal(ledger.job(id).status, 'succeeded')
})

test('a condition on an output that was too large to collect fails its step', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({
      each: { forEach: { items: { range: 2 } } },
      after: { needs: ['each'], when: exists('/steps/each/output/0') },
    }),
  )
  for (const index of [0, 1]) ledger.succeed('each', 'x'.repeat(200_000), { index })
  assert.equal(JSON.stringify(ledger.job(id)['error']).includes('input_too_large'), true)
})
