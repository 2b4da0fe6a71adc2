import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.js'

test('a value counts in the first bucket whose bound it does not pass, and above the last in its own', () => {
  const histogram = new Histogram([1, 5])
  for (const value of [0, 1, 1.5, 5, 7, 100]) histogram.observe(value)
  assert.deepEqual(histogram.figures, { bounds: [1, 5], counts: [2, 2, 2], sum: 114.5 })
})

test('figures that were taken do not change with what comes after', () => {
  const histogram = new Histogram([1])
  const { counts } = histogram.figures
  histogram.observe(0.5)
  assert.deepEqual(counts, [0, 0])
})
