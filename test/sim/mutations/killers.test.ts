import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cheapest } from './killers.js'

test('the killing seed that shows all comes first, though others are cheaper', () => {
  const kills = [
    { seed: 1, caughtBy: ['a'], events: 10 },
    { seed: 2, caughtBy: ['b'], events: 20 },
    { seed: 3, caughtBy: ['a', 'b'], events: 900 },
  ]
  assert.deepEqual(cheapest(kills, ['a', 'b'], 1), [3])
})

test('of killing seeds that show as much the cheapest comes first, and no more are kept than asked for', () => {
  const kills = [
    { seed: 1, caughtBy: ['a'], events: 30 },
    { seed: 2, caughtBy: ['a'], events: 10 },
    { seed: 3, caughtBy: ['a'], events: 20 },
    { seed: 4, caughtBy: ['b'], events: 40 },
  ]
  assert.deepEqual(cheapest(kills, ['a', 'b'], 1), [2, 4])
  assert.deepEqual(cheapest(kills, ['a', 'b'], 2), [2, 4, 3])
  assert.deepEqual(cheapest(kills, ['c'], 3), [])
})
