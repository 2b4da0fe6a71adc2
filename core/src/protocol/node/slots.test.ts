import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readyName } from '../ledger/ready-name.js'
import { Grants } from './grants.js'
import { FAIRNESS_MS } from './limits.js'
import { Slots } from './slots.js'
import { ready } from './testing/ready.js'

const HAS = { cpu: 4_000, memoryMb: 1_000_000, gpu: 1_000 }

function setup(takes: Readonly<Record<string, Readonly<Record<string, number>>>>): Slots {
  const slots = new Slots()
  const offered = Object.fromEntries(Object.keys(takes).map((service) => [service, 100]))
  slots.offer(offered, 100, { has: HAS, takes })
  return slots
}

test('all services together take no more of a resource than the node has', () => {
  const slots = setup({ big: { cpu: 3_000 }, small: { cpu: 500 }, free: {} })
  assert.equal(slots.take('big', 9), 1)
  assert.equal(slots.take('small', 9), 2)
  assert.deepEqual([slots.free('big'), slots.free('small'), slots.free('free')], [0, 0, 97])
  slots.giveBack('small', 1)
  assert.deepEqual([slots.free('big'), slots.free('small')], [0, 1])
})

test('the shortage names what is missing: slots, cores, memory or units', () => {
  const slots = setup({
    cores: { cpu: 3_000 },
    heavy: { memoryMb: 600_000 },
    graphics: { gpu: 1_000 },
  })
  for (const service of ['cores', 'heavy', 'graphics']) {
    assert.equal(slots.shortage(service), null)
    slots.take(service, 1)
  }
  assert.deepEqual(
    ['cores', 'heavy', 'graphics', 'unknown'].map((service) => slots.shortage(service)),
    ['cpu', 'memory', 'units', 'busy'],
  )
})

test('attempts that run through a restart of the services thread go on counting', () => {
  const slots = setup({ big: { cpu: 3_000 } })
  slots.take('big', 1)
  slots.offer({}, 0)
  slots.offer({ big: 9 }, 9, { has: HAS, takes: { big: { cpu: 3_000 } } })
  assert.equal(slots.free('big'), 0)
  slots.giveBack('big', 1)
  assert.equal(slots.free('big'), 1)
})

test('a task that needs much is not passed over for ever by small ones', () => {
  const slots = setup({ big: { cpu: 4_000 }, small: { cpu: 1_000 } })
  const grants = new Grants(slots, { node: 'n', boot: 1 })
  slots.take('small', 4)
  grants.setDemand(1, ready({ big: 1 }), 0)
  grants.setDemand(2, ready({ small: 1_000 }), 0)
  const started: string[] = []
  let running = 4
  for (let round = 1; running > 0; round += 1) {
    slots.giveBack('small', 1)
    running -= 1
    for (const { reservation } of grants.takeStarts(round * FAIRNESS_MS)) {
      started.push(...reservation.counts.keys())
      running += reservation.counts.get('small') ?? 0
    }
  }
  assert.deepEqual(started, ['small', 'big'])
})

test('room kept for a task that is gone is given to the others at once', () => {
  const slots = setup({ big: { cpu: 4_000 }, small: { cpu: 1_000 } })
  const grants = new Grants(slots, { node: 'n', boot: 1 })
  slots.take('small', 1)
  grants.setDemand(1, ready({ big: 1 }), 0)
  grants.setDemand(2, ready({ small: 5 }), FAIRNESS_MS + 1)
  assert.equal(grants.hasStarts, false)
  grants.setDemand(1, ready({}), FAIRNESS_MS + 2)
  assert.equal(grants.hasStarts, true)
})

test('room is kept for nobody while tasks of a better priority wait for the same', () => {
  const slots = setup({ big: { cpu: 4_000 }, small: { cpu: 1_000 } })
  const grants = new Grants(slots, { node: 'n', boot: 1 })
  slots.take('small', 4)
  grants.setDemand(1, ready({ [readyName('big', 5)]: 1 }), 0)
  grants.setDemand(2, ready({ [readyName('small', 9)]: 1_000 }), 0)
  slots.giveBack('small', 1)
  const [start] = grants.takeStarts(9 * FAIRNESS_MS)
  assert.deepEqual([...(start?.reservation.counts ?? [])], [['small', 1]])
})
