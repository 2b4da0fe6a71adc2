import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VALUE_BYTES_MAX } from '@gyre/jobs'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'

import { errorOf, failedBody, outcomeBody } from './outcome.js'
import { checkedOutcome } from './reported-outcome.js'

const succeeded = (text: string): string => `{"kind":"succeeded","output":${text}}`
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

function assertRefused(body: string): void {
  const outcome: AttemptOutcome = JSON.parse(checkedOutcome(body))
  assert.equal(outcome.kind, 'failed', body.slice(0, 80))
  if (outcome.kind !== 'failed') return
  assert.deepEqual([outcome.error.code, outcome.error.retryable], ['output_invalid', false])
}

test('every outcome that the thread makes passes as the text it is', () => {
  const outcomes: readonly AttemptOutcome[] = [
    { kind: 'succeeded', output: null },
    { kind: 'succeeded', output: { a: [1, { b: 'x' }] } },
    { kind: 'failed', error: { code: 'c', message: '', retryable: true } },
    { kind: 'failed', error: { code: 'c', message: 'm', retryable: false, details: { a: [1] } } },
    { kind: 'timed_out' },
    { kind: 'cancelled' },
    { kind: 'lost', charged: false },
    { kind: 'not_started' },
  ]
  for (const body of outcomes.map(outcomeBody)) assert.equal(checkedOutcome(body), body)
})

test('the largest output and the largest error pass; a byte or a level more does not', () => {
  const largest = succeeded(`"${'x'.repeat(VALUE_BYTES_MAX - 2)}"`)
  assert.equal(checkedOutcome(largest), largest)
  assertRefused(succeeded(`"${'x'.repeat(VALUE_BYTES_MAX - 1)}"`))
  assertRefused(succeeded(`"${'é'.repeat(VALUE_BYTES_MAX / 2)}"`))
  const deepest = succeeded(nested(64))
  assert.equal(checkedOutcome(deepest), deepest)
  assertRefused(succeeded(nested(65)))
  assertRefused(succeeded(nested(100_000)))
  const error = {
    name: 'ServiceError',
    code: 'c'.repeat(64),
    message: '\u0001'.repeat(9_000),
    retryable: true,
    details: { x: '\u0001'.repeat(1_300) },
  }
  const failed = failedBody(errorOf(error))
  assert.match(failed, /details/)
  assert.equal(checkedOutcome(failed), failed)
})

test('what is no outcome becomes output_invalid', () => {
  const bodies = [
    '',
    'undefined',
    'null',
    '[]',
    '"succeeded"',
    '{}',
    "{'kind':'lost'}",
    '{"kind":"constructor"}',
    '{"kind":"__proto__"}',
    '{"kind":["lost"],"charged":true}',
    '{"kind":"succeeded"}',
    '{"kind":"succeeded","output":1,"more":2}',
    succeeded("{'single':1}"),
    succeeded('[{"__proto__":{}}]'),
    `${succeeded('1')},"c":{"kind":"cancel"}`,
    '{"kind":"timed_out","output":1}',
    '{"kind":"lost"}',
    '{"kind":"lost","charged":1}',
    '{"kind":"failed"}',
    '{"kind":"failed","error":null}',
    '{"kind":"failed","error":"x"}',
  ]
  for (const body of bodies) assertRefused(body)
})

test('an error with a member of the wrong type becomes output_invalid', () => {
  const good = { code: 'c', message: 'm', retryable: true }
  const errors = [
    { ...good, code: 'Not A Code' },
    { ...good, code: 5 },
    { ...good, message: undefined },
    { ...good, message: 'x'.repeat(3_000) },
    { ...good, retryable: 'yes' },
    { ...good, details: [] },
    { ...good, details: null },
    { ...good, details: { x: 'y'.repeat(60_000) } },
    { ...good, details: JSON.parse(`{"x":${nested(64)}}`) },
    { ...good, stack: 'at …' },
  ]
  for (const error of errors) assertRefused(JSON.stringify({ kind: 'failed', error }))
})

test('whatever text is reported, what goes on is JSON of an outcome', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.json().map(succeeded)), (body) => {
      const outcome = JSON.parse(checkedOutcome(body))
      assert.ok(['succeeded', 'failed'].includes(outcome.kind))
    }),
  )
})
