import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionError } from '../base/assert.js'
import { SystemClock } from './system-clock.js'

/** Keeps the thread busy until both of two timers are certainly due. */
function stall(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('an alarm never rings before its time', async () => {
  const clock = new SystemClock()
  for (const delayMs of [0, 0.4, 1.7, 12]) {
    const start = clock.now().mono
    await new Promise<void>((resolve) => clock.alarm(delayMs, resolve))
    assert.ok(clock.now().mono - start >= delayMs, `${delayMs} ms`)
  }
})

test('a cancelled alarm stays silent', async () => {
  const clock = new SystemClock()
  let rung = false
  const cancel = clock.alarm(1, () => {
    rung = true
  })
  cancel()
  await new Promise<void>((resolve) => clock.alarm(5, resolve))
  assert.equal(rung, false)
})

test('an alarm beyond 2^31 milliseconds does not ring at once', async () => {
  const clock = new SystemClock()
  let rung = false
  const cancels = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((delayMs) =>
    clock.alarm(delayMs, () => {
      rung = true
    }),
  )
  await new Promise<void>((resolve) => clock.alarm(5, resolve))
  for (const cancel of cancels) cancel()
  assert.equal(rung, false)
})

test('an alarm after NaN milliseconds is a bug', () => {
  assert.throws(() => new SystemClock().alarm(Number.NaN, () => {}), AssertionError)
})

test('what is wanted soon runs after the current callback and before the next alarm', async () => {
  const clock = new SystemClock()
  const order: string[] = []
  await new Promise<void>((resolve) => {
    clock.alarm(1, () => {
      order.push('first alarm')
      clock.soon(() => order.push('soon'))
      order.push('end of first alarm')
    })
    clock.alarm(1, () => {
      order.push('second alarm')
      resolve()
    })
    stall(10)
  })
  assert.deepEqual(order, ['first alarm', 'end of first alarm', 'soon', 'second alarm'])
})

test('an alarm that is cancelled by what ran soon before it stays silent', async () => {
  const clock = new SystemClock()
  const order: string[] = []
  await new Promise<void>((resolve) => {
    clock.alarm(1, () => clock.soon(() => cancel()))
    const cancel = clock.alarm(1, () => order.push('cancelled alarm'))
    clock.alarm(2, resolve)
    stall(10)
  })
  assert.deepEqual(order, [])
})
