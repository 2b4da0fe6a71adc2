import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STOP_PATIENCE_MS } from './limits.js'
import { Stopping } from './stopping.js'

const SUCCEEDED = '{"kind":"succeeded","output":1}'
const FAILED = '{"kind":"failed","error":{"code":"c","message":"m","retryable":false}}'
const NOT_STARTED = '{"kind":"not_started"}'
const HANDED_BACK = '{"kind":"lost","charged":false}'

test('what an aborted attempt gave up with is handed back; that it was done, or never begun, stays', () => {
  const stopping = new Stopping()
  stopping.begin(0)
  for (const body of [SUCCEEDED, FAILED, NOT_STARTED]) assert.equal(stopping.outcomeOf(body), body)
  assert.equal(stopping.shouldAbort(STOP_PATIENCE_MS), true)
  assert.equal(stopping.outcomeOf(SUCCEEDED), SUCCEEDED)
  assert.equal(stopping.outcomeOf(FAILED), HANDED_BACK)
  assert.equal(stopping.outcomeOf(NOT_STARTED), NOT_STARTED)
})
