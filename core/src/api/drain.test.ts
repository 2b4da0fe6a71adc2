import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DrainPatience } from './drain.js'
import { DRAIN_BYTES_MAX, DRAIN_SILENCE_MS_MAX, REQUEST_TIMEOUT_MS } from './limits.js'

test('a refused body that keeps coming is heard out, a silent one only for a while', () => {
  const steady = new DrainPatience(0, 500)
  for (let step = 1; step <= 5; step += 1) {
    assert.equal(steady.isOver(step * DRAIN_SILENCE_MS_MAX, 500 + step), false)
  }
  assert.equal(steady.isOver(6 * DRAIN_SILENCE_MS_MAX + 1, 505), true)
})

test('a refused body is read no longer than a request may take, and no further than a bound', () => {
  const slow = new DrainPatience(0, 0)
  for (let at = 0; at <= REQUEST_TIMEOUT_MS; at += 1000)
    assert.equal(slow.isOver(at, at + 1), false)
  assert.equal(slow.isOver(REQUEST_TIMEOUT_MS + 1, REQUEST_TIMEOUT_MS + 2), true)
  const large = new DrainPatience(0, 0)
  assert.equal(large.isOver(1, DRAIN_BYTES_MAX), false)
  assert.equal(large.isOver(1, DRAIN_BYTES_MAX + 1), true)
})
