import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Grants } from './grants.js'
import { loadOf } from './service-loads.js'
import { Slots } from './slots.js'
import { ready } from './testing/ready.js'

test('a load tells what runs, waits and is free of a service, and for how long the oldest waits', () => {
  const slots = new Slots()
  const grants = new Grants(slots, { node: 'me', boot: 1 })
  slots.offer({ echo: 2, sleep: 1 }, 3)
  grants.setDemand(0, ready({ sleep: 3 }, 900), 0)
  grants.setDemand(1, ready({ sleep: 1 }, 400), 0)
  assert.equal(slots.take('sleep', 1), 1)
  const { sleep, echo } = loadOf(slots, grants, new Map([['echo', 5]]), (_, since) => 1000 - since)
  assert.deepEqual(sleep, {
    running: 1,
    waiting: 4,
    oldestMs: 600,
    shortage: 'busy',
    blocked: 0,
    granted: 1,
    free: 0,
  })
  assert.deepEqual([echo?.granted, echo?.free, echo?.oldestMs, echo?.blocked], [2, 2, 0, 5])
})
