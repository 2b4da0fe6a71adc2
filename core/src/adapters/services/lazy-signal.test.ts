import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LazySignal } from './lazy-signal.js'

test('a signal is the same for all who ask, and tells those who listen of its abort', () => {
  const lazy = new LazySignal()
  const { value } = lazy
  const told: unknown[] = []
  value.addEventListener('abort', () => told.push(value.reason))
  assert.equal(lazy.value, value)
  assert.doesNotThrow(() => lazy.throwIfAborted())
  const reason = new Error('stop')
  lazy.abort(reason)
  assert.deepEqual(told, [reason])
})

test('who asks after the abort finds it aborted, for the same reason', () => {
  const lazy = new LazySignal()
  const reason = new Error('stop')
  lazy.abort(reason)
  assert.throws(() => lazy.throwIfAborted(), reason)
  assert.equal(lazy.value.aborted, true)
  assert.equal(lazy.value.reason, reason)
})

test('a signal takes as many listeners as a handler hangs on it, without a warning', async () => {
  const warnings: string[] = []
  const note = ({ name }: Error): unknown => warnings.push(name)
  process.on('warning', note)
  const { value } = new LazySignal()
  for (let count = 0; count < 50; count += 1) value.addEventListener('abort', () => count)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  assert.deepEqual(warnings, [])
})
