import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KnownService, makePlan } from './make-plan.js'
import { parseSubmission } from './parse-submission.js'

const SERVICES: Readonly<Record<string, KnownService>> = {
  plain: { compensates: false, version: '2.1.0' },
  pure: { compensates: false, version: '3.0.0', memoizeMs: 60_000 },
  undoable: { compensates: true, version: '1.0.0' },
}

function planned(submission: object): ReturnType<typeof makePlan> {
  const parsed = parseSubmission(submission)
  if (!parsed.ok) return parsed
  return makePlan(parsed, { service: (name) => SERVICES[name], job: () => undefined })
}

function memoOf(step: object): unknown {
  const plan = planned({ steps: { a: step } })
  assert.ok(plan.ok, JSON.stringify(plan))
  return plan.plan.steps[0]?.memoize ?? null
}

function pathOf(submission: object): unknown {
  const plan = planned(submission)
  return plan.ok ? null : [plan.code, plan.errors[0]?.path]
}

test('a step is memoised as it says, else as its service does, for the version that is known', () => {
  assert.deepEqual(memoOf({ service: 'plain', memoize: '1h' }), {
    forMs: 3_600_000,
    version: '2.1.0',
  })
  assert.deepEqual(memoOf({ service: 'pure' }), { forMs: 60_000, version: '3.0.0' })
  assert.deepEqual(memoOf({ service: 'pure', memoize: 5 }), { forMs: 5, version: '3.0.0' })
  assert.equal(memoOf({ service: 'pure', memoize: false }), null)
  assert.equal(memoOf({ service: 'plain' }), null)
  const single = planned({ service: 'pure' })
  assert.equal(single.ok && single.plan.steps[0]?.memoize?.forMs, 60_000)
})

test('memoize and compensate exclude each other, wherever either comes from', () => {
  const compensate = { service: 'plain' }
  const at = (member: string): unknown => ['invalid_job', `/steps/a/${member}`]
  const steps = (a: object): object => ({ steps: { a } })
  assert.deepEqual(pathOf(steps({ service: 'plain', memoize: '1h', compensate })), at('memoize'))
  assert.deepEqual(pathOf(steps({ service: 'undoable', memoize: '1h' })), at('memoize'))
  assert.deepEqual(pathOf(steps({ service: 'pure', compensate })), at('compensate'))
  assert.deepEqual(pathOf({ service: 'pure', compensate }), ['invalid_job', '/compensate'])
  assert.equal(pathOf(steps({ service: 'pure', memoize: false, compensate })), null)
})

test('a time that is none, nothing or too long is refused', () => {
  for (const memoize of [0, '0s', '366d']) {
    assert.deepEqual(pathOf({ steps: { a: { service: 'plain', memoize } } }), [
      'invalid_job',
      '/steps/a/memoize',
    ])
  }
  assert.deepEqual(pathOf({ steps: { a: { service: 'plain', memoize: true } } }), [
    'invalid_request',
    '/steps/a/memoize',
  ])
})
