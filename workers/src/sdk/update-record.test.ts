import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeDht } from '../testing/fake-dht.js'
import { ServiceError } from './service-error.js'
import { updateRecord } from './update-record.js'

const plusOne = (value: unknown): number => (typeof value === 'number' ? value : 0) + 1

test('fifty racing updates all count', async () => {
  const dht = fakeDht()
  await Promise.all(
    Array.from({ length: 50 }, () => updateRecord(dht, 'n', plusOne, { attempts: 60 })),
  )
  assert.equal((await dht.get('n'))?.value, 50)
})

test('an update that loses too often fails with a clear error that can be retried', async () => {
  const dht = fakeDht()
  let tries = 0
  const loser = updateRecord(
    dht,
    'n',
    async (value) => {
      tries += 1
      await dht.put('n', tries)
      return plusOne(value)
    },
    { attempts: 3 },
  )
  await assert.rejects(loser, (error: ServiceError) => {
    assert.deepEqual([error.code, error.retryable, tries], ['dht_contended', true, 3])
    assert.match(error.message, /record n was changed by somebody else each of 3 times/)
    return true
  })
})

test('what the change throws is passed on at once', async () => {
  const own = new ServiceError('own', 'no', { retryable: false })
  let tries = 0
  const update = updateRecord(fakeDht(), 'n', () => {
    tries += 1
    throw own
  })
  await assert.rejects(update, (error) => error === own)
  assert.equal(tries, 1)
})

test('a change that gives nothing back leaves the record as it was', async () => {
  const dht = fakeDht({ n: 1 })
  const forgets = (() => undefined) as unknown as () => number
  await assert.rejects(updateRecord(dht, 'n', forgets), (error: ServiceError) => {
    assert.deepEqual([error.code, error.retryable], ['invalid_value', false])
    assert.match(error.message, /return its new value/)
    return true
  })
  assert.equal((await dht.get('n'))?.value, 1)
})
