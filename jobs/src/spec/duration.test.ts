import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.js'
import { DURATION_MS_MAX } from './limits.js'

test('integers are milliseconds and each unit has its factor', () => {
  const table: [number | string, number][] = [
    [0, 0],
    [1500, 1500],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ]
  for (const [spec, ms] of table) assert.equal(parseDuration(spec), ms, String(spec))
})

test('what is no whole, unsigned amount of a known unit is no duration', () => {
  const bad = ['', '5', '5 s', '-5s', '1.5h', '05s', '5S', '5w', 's', '5s ', '9999999999999999ms']
  for (const spec of [...bad, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(parseDuration(spec), null, String(spec))
  }
})

test('a duration of the limit is taken and one over it is not', () => {
  assert.equal(parseDuration(DURATION_MS_MAX), DURATION_MS_MAX)
  assert.equal(parseDuration(DURATION_MS_MAX + 1), null)
  assert.equal(parseDuration('3650d'), DURATION_MS_MAX)
  assert.equal(parseDuration('3651d'), null)
})
