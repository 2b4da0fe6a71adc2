import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StepPlan } from './plan.js'
import { makePlan } from './make-plan.js'
import { parseSubmission } from './parse-submission.js'

function planned(steps: object, output?: unknown): ReturnType<typeof makePlan> {
  const parsed = parseSubmission(output === undefined ? { steps } : { steps, output })
  if (!parsed.ok) return parsed
  return makePlan(parsed, { service: () => ({ compensates: true }), job: () => undefined })
}

function stepsOf(steps: object): readonly StepPlan[] {
  const plan = planned(steps)
  assert.ok(plan.ok, JSON.stringify(plan))
  return plan.plan.steps
}

function pathsOf(steps: object, output?: unknown): readonly string[] {
  const plan = planned(steps, output)
  assert.equal(plan.ok, false, JSON.stringify(plan))
  return plan.ok ? [] : plan.errors.map(({ path }) => path)
}

const PLAIN = { service: 'x' }
const ON_FAILURE = { service: 'x', onFailure: true }

test('a condition on a step implies that it is needed', () => {
  const [, b] = stepsOf({
    a: PLAIN,
    b: { ...PLAIN, when: { $from: '/steps/a/output', equals: 0 } },
  })
  assert.deepEqual(b?.needs, ['a'])
  assert.deepEqual(b?.when, { from: '/steps/a/output', is: { kind: 'equals', value: 0 } })
})

test('a condition compares with any JSON value, null and false included', () => {
  for (const value of [null, false, '', { a: [] }]) {
    const [a] = stepsOf({ a: { ...PLAIN, when: { $from: '/input/a', equals: value } } })
    assert.deepEqual(a?.when?.is, { kind: 'equals', value })
  }
})

test('what says nothing about conditions makes the plan that it always made', () => {
  const [a] = stepsOf({ a: PLAIN })
  assert.deepEqual(Object.keys(a ?? {}).sort(), [
    'compensate',
    'forEach',
    'input',
    'name',
    'needs',
    'retry',
    'service',
    'timeoutMs',
  ])
})

test('a condition that says nothing, both things, or looks where nothing can be is refused', () => {
  const at = '/steps/a/when'
  for (const [when, path] of [
    [{ $from: '/input' }, at],
    [{ $from: '/input', equals: 1, exists: true }, at],
    [{ $from: '/item', exists: true }, at],
    [{ $from: 'input', exists: true }, at],
    [{ $from: '/steps/none/output', exists: true }, at],
    [{ $from: '/steps/a/output', exists: true }, '/steps/a'],
    [{ $from: '/failure/step', exists: true }, at],
    [{ equals: 1 }, at],
    [{ $from: '/input', exists: 'yes' }, `${at}/exists`],
    [{ $from: '/input', exists: true, not: 1 }, `${at}/not`],
  ] as const) {
    assert.deepEqual(pathsOf({ a: { ...PLAIN, when } }), [path], JSON.stringify(when))
  }
})

test('a failure step looks at any step without needing it, and at others of its kind in order', () => {
  const steps = stepsOf({
    a: PLAIN,
    second: {
      ...ON_FAILURE,
      input: [{ $from: '/steps/first/output' }, { $from: '/failure/step' }],
    },
    first: { ...ON_FAILURE, input: { $from: '/steps/a/output' } },
  })
  assert.deepEqual(
    steps.map(({ name, needs, onFailure }) => [name, needs, onFailure]),
    [
      ['a', [], undefined],
      ['first', [], true],
      ['second', ['first'], true],
    ],
  )
})

test('a failure step has no compensation, although its service has one', () => {
  const [a, b] = stepsOf({ a: PLAIN, b: ON_FAILURE })
  assert.ok(a?.compensate)
  assert.equal(b?.compensate, null)
})

test('what contradicts a failure step is refused', () => {
  assert.deepEqual(pathsOf({ a: ON_FAILURE }), ['/steps'])
  assert.deepEqual(pathsOf({ a: PLAIN, b: { ...ON_FAILURE, needs: ['a'] } }), ['/steps/b'])
  assert.deepEqual(pathsOf({ a: { ...PLAIN, needs: ['b'] }, b: ON_FAILURE }), ['/steps/a'])
  const takesOver = { ...PLAIN, input: { $from: '/steps/b/output' } }
  assert.deepEqual(pathsOf({ a: takesOver, b: ON_FAILURE }), ['/steps/a'])
  const output = { $from: '/steps/b/output' }
  assert.deepEqual(pathsOf({ a: PLAIN, b: ON_FAILURE }, output), ['/output'])
  const many = { ...ON_FAILURE, forEach: [1], compensate: { service: 'x' } }
  assert.deepEqual(pathsOf({ a: PLAIN, b: many }), ['/steps/b/forEach', '/steps/b/compensate'])
  assert.deepEqual(pathsOf({ a: { ...PLAIN, onFailure: false } }), ['/steps/a/onFailure'])
})
