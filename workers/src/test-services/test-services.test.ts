import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../testing/index.js'
import { block, echo, fail, flaky, sleep } from './index.js'

test('test.echo returns its input, and undoing it says so', () => {
  assert.deepEqual(echo.run({ a: 1 }, testContext()), { a: 1 })
  assert.deepEqual(echo.compensate?.({}, null, testContext()), { undone: true })
})

test('test.sleep returns what it slept, and stops at once when aborted', {
  timeout: 10_000,
}, async () => {
  assert.deepEqual(await sleep.run({ ms: 1 }, testContext()), { slept: 1 })
  const controller = new AbortController()
  const sleeping = sleep.run({ ms: 3_600_000 }, testContext({ signal: controller.signal }))
  controller.abort()
  await assert.rejects(Promise.resolve(sleeping), { name: 'AbortError' })
})

test('test.fail fails with the message and the retryability it is given', () => {
  const run = (input: object) => () => fail.run(input, testContext())
  assert.throws(run({}), { code: 'test_failed', retryable: true })
  assert.throws(run({ message: 'no', retryable: false }), { message: 'no', retryable: false })
})

test('test.flaky fails exactly its first attempts', () => {
  const run = (attempt: number) => () => flaky.run({ failures: 2 }, testContext({ attempt }))
  assert.throws(run(1), { code: 'test_flaky', retryable: true })
  assert.throws(run(2), { code: 'test_flaky' })
  assert.deepEqual(run(3)(), { attempt: 3 })
  assert.deepEqual(flaky.compensate?.({ failures: 2 }, null, testContext()), { undone: true })
})

test('test.block keeps its thread for as long as it is told', () => {
  const start = performance.now()
  assert.deepEqual(block.run({ ms: 20 }, testContext()), { blocked: 20 })
  assert.ok(performance.now() - start >= 20)
})
