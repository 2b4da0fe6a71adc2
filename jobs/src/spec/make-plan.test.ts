import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SpecRefusal } from './issues.js'
import { type Catalog, checkJobDefinition, makePlan, type Planned } from './make-plan.js'
import { parseSubmission } from './parse-submission.js'
import { RETRY_DEFAULT } from './retry-policy.js'

const CATALOG: Catalog = {
  service: (name) =>
    new Map([
      ['plain', { compensates: false }],
      ['undoable', { compensates: true, timeoutMs: 5000, retry: { attempts: 2, jitter: false } }],
    ]).get(name),
  job: (name) =>
    name === 'order'
      ? { name, steps: { only: { service: 'plain' } }, output: { $from: '/steps/only/output' } }
      : undefined,
}

function planOf(submission: unknown): Planned {
  const planned = plan(submission)
  assert.ok(planned.ok, JSON.stringify(planned))
  return planned
}

function refusalOf(submission: unknown): { code: string; paths: string[] } {
  const planned = plan(submission)
  assert.ok(!planned.ok, 'it is refused')
  return { code: planned.code, paths: planned.errors.map((error) => error.path) }
}

function plan(submission: unknown): Planned | SpecRefusal {
  const parsed = parseSubmission(submission)
  return parsed.ok ? makePlan(parsed, CATALOG) : parsed
}

test('a {service} job is one step named main that reads the whole input by a pointer', () => {
  const input = { $from: '/steps/never/evaluated' }
  const planned = planOf({ service: 'plain', input })
  assert.deepEqual(planned.input, input)
  assert.deepEqual(planned.plan, {
    job: null,
    single: true,
    steps: [
      {
        name: 'main',
        service: 'plain',
        needs: [],
        input: { $from: '/input' },
        timeoutMs: 60_000,
        retry: RETRY_DEFAULT,
        forEach: null,
        compensate: null,
      },
    ],
  })
})

test('a {job} is stored expanded, under its name, with its output', () => {
  const { plan: stored } = planOf({ job: 'order', input: 1 })
  assert.equal(stored.job, 'order')
  assert.equal(stored.single, false)
  assert.deepEqual(stored.output, { $from: '/steps/only/output' })
  assert.deepEqual(
    stored.steps.map((step) => step.name),
    ['only'],
  )
})

test('a missing input is an empty object, for the job and for its steps', () => {
  assert.deepEqual(planOf({ service: 'plain' }).input, {})
  assert.deepEqual(planOf({ steps: { a: { service: 'plain' } } }).plan.steps[0]?.input, {})
})

test('a policy is the step’s over the service’s over the default, member by member', () => {
  const retry = { attempts: 7, delay: '2s', factor: 1.5 }
  const [step] = planOf({ steps: { a: { service: 'undoable', retry } } }).plan.steps
  assert.deepEqual(step?.retry, {
    attempts: 7,
    delayMs: 2000,
    factorMilli: 1500,
    maxDelayMs: 300_000,
    jitter: false,
  })
  assert.equal(step?.timeoutMs, 5000)
})

test('a first delay over the default cap lifts the cap', () => {
  const retry = { delay: '10m' }
  assert.equal(planOf({ service: 'plain', retry }).plan.steps[0]?.retry.maxDelayMs, 600_000)
})

test('a service’s own hook is planned, and a step’s compensate replaces it', () => {
  const [own] = planOf({ service: 'undoable' }).plan.steps
  assert.deepEqual(own?.compensate, {
    service: 'undoable',
    hook: true,
    timeoutMs: 5000,
    retry: { ...RETRY_DEFAULT, attempts: 2, jitter: false },
  })
  const compensate = { service: 'plain', input: { $from: '/input/id' }, timeout: '1s' }
  const [replaced] = planOf({ service: 'undoable', compensate }).plan.steps
  assert.deepEqual(replaced?.compensate, {
    service: 'plain',
    hook: false,
    input: { $from: '/input/id' },
    timeoutMs: 1000,
    retry: RETRY_DEFAULT,
  })
})

test('forEach takes an array, a range or a pointer, with its defaults', () => {
  for (const forEach of [[1, 2], [], { range: 100_000 }, { $from: '/input/list' }]) {
    const [step] = planOf({ steps: { a: { service: 'plain', forEach } } }).plan.steps
    assert.deepEqual(step?.forEach, {
      items: forEach,
      concurrency: 64,
      onItemError: 'fail',
      collect: 'array',
    })
  }
})

test('forEach over the limit, or of another form, is refused', () => {
  const many = Array.from({ length: 100_001 }, () => 0)
  const bad = [
    many,
    { range: 100_001 },
    { range: -1 },
    { range: 1.5 },
    { range: 1, of: 2 },
    {},
    { $literal: 1 },
  ]
  for (const forEach of bad) {
    assert.deepEqual(refusalOf({ steps: { a: { service: 'plain', forEach } } }), {
      code: 'invalid_job',
      paths: ['/steps/a/forEach'],
    })
  }
})

test('members that belong to forEach mean nothing without it', () => {
  assert.deepEqual(refusalOf({ steps: { a: { service: 'plain', concurrency: 3 } } }).paths, [
    '/steps/a/concurrency',
  ])
})

test('unknown services are told all at once, also those of hooks; unknown jobs by name', () => {
  const steps = { a: { service: 'no1' }, b: { service: 'plain', compensate: { service: 'no2' } } }
  assert.deepEqual(refusalOf({ steps }), {
    code: 'unknown_service',
    paths: ['/steps/a/service', '/steps/b/compensate/service'],
  })
  assert.deepEqual(refusalOf({ service: 'no1' }).paths, ['/service'])
  assert.deepEqual(refusalOf({ job: 'nope' }), { code: 'unknown_job', paths: ['/job'] })
})

test('of a thousand mistakes twenty are told', () => {
  const steps = Array.from({ length: 1000 }, (_, n) => [`s${n}`, { service: 'plain', timeout: 0 }])
  assert.equal(refusalOf({ steps: Object.fromEntries(steps) }).paths.length, 20)
})

test('a timeout of nothing and a duration over the limit are refused', () => {
  const step = { service: 'plain', timeout: 0, retry: { delay: '9999d' } }
  assert.deepEqual(refusalOf({ steps: { a: step } }).paths, [
    '/steps/a/timeout',
    '/steps/a/retry/delay',
  ])
})

test('a job definition is checked for graph and pointers whatever services are known', () => {
  assert.deepEqual(checkJobDefinition({ name: 'j', steps: { a: { service: 'unheard.of' } } }), [])
  const cyclic = { name: 'j', steps: { a: { service: 'x', needs: ['a'] } } }
  assert.equal(checkJobDefinition(cyclic)[0]?.path, '/steps/a')
  assert.equal(checkJobDefinition({ name: 'j' })[0]?.path, '')
})
