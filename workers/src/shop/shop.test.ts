import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../testing/index.js'
import { charge, release, reserve, ship } from './index.js'

const ORDER = { sku: 'tea', quantity: 2, amount: 9, card: 'c', address: 'a street' }

test('a repeated attempt makes the same reservation, charge and parcel; another order has its own', () => {
  for (const service of [reserve, charge, ship]) {
    const first = service.run(ORDER, testContext({ idempotencyKey: 'k', attempt: 1 }))
    const again = service.run(ORDER, testContext({ idempotencyKey: 'k', attempt: 2 }))
    assert.deepEqual(first, again)
    const other = service.run(ORDER, testContext({ idempotencyKey: 'o', attempt: 1 }))
    assert.notDeepEqual(first, other)
  }
})

test('an order names the service that fails, how often, and whether for good', () => {
  const failing = { ship: { attempts: 2 }, charge: { permanently: true } }
  const at = (attempt: number) => testContext({ attempt })
  assert.doesNotThrow(() => reserve.run({ ...ORDER, failing }, at(1)))
  assert.throws(() => charge.run({ ...ORDER, failing }, at(99)), { retryable: false })
  assert.throws(() => ship.run({ ...ORDER, failing }, at(2)), {
    code: 'shop_unavailable',
    retryable: true,
  })
  assert.doesNotThrow(() => ship.run({ ...ORDER, failing }, at(3)))
})

test('undoing gives back what was reserved and all that was charged', async () => {
  const ctx = testContext({ idempotencyKey: 'k' })
  const undo = testContext({ hook: 'compensate' })
  const released = { released: 'reservation-k' }
  assert.deepEqual(reserve.compensate?.(ORDER, await reserve.run(ORDER, ctx), undo), released)
  assert.deepEqual(await release.run({ reservation: 'reservation-k' }, ctx), released)
  assert.deepEqual(charge.compensate?.(ORDER, await charge.run(ORDER, ctx), undo), {
    refunded: 9,
    charge: 'charge-k',
  })
})

test('undoing what perhaps never happened is answered, not failed', async () => {
  const ctx = testContext({ hook: 'compensate' })
  assert.deepEqual(reserve.compensate?.(ORDER, null, ctx), { released: null })
  assert.deepEqual(charge.compensate?.(ORDER, null, ctx), { refunded: 0 })
  assert.deepEqual(await release.run({}, ctx), { released: null })
})
