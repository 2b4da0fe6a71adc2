import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preferredWaitSeconds, waitMsOf } from './prefer.js'

test('wait is found among other preferences, in seconds, cut to a minute', () => {
  const table: [string | string[] | undefined, number | undefined][] = [
    [undefined, undefined],
    ['wait=10', 10],
    ['WAIT = "10"', 10],
    ['respond-async, wait=5', 5],
    [['respond-async', 'wait=7'], 7],
    ['wait=0', 0],
    ['wait=61', 60],
    ['wait=1, wait=2', 1],
    ['wait', undefined],
    ['wait=soon', undefined],
    ['wait=-1', undefined],
    ['wait=10s', undefined],
    ['await=10', undefined],
  ]
  for (const [header, seconds] of table) {
    assert.equal(preferredWaitSeconds(header), seconds, String(header))
  }
})

test('the query parameter is a duration, cut to a minute', () => {
  assert.deepEqual(
    [undefined, '0', '1500', '2s', '1m', '7d'].map(waitMsOf),
    [0, 0, 1500, 2000, 60_000, 60_000],
  )
  for (const text of ['', 'soon', '-1', '1.5', '1.5s', ' 1s']) {
    assert.throws(() => waitMsOf(text), /must be a duration/, text)
  }
})
