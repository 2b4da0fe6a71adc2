import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineService, giveUp, retryLater, ServiceError } from './index.js'
import { testContext } from '../testing/index.js'

test('types of input and output are read off the schemas', async () => {
  const service = defineService({
    name: 'typed',
    input: {
      type: 'object',
      properties: {
        size: { enum: ['s', 'm'] },
        count: { type: 'integer' },
        tags: { type: 'array', items: { type: 'string' } },
      },
      required: ['size'],
    },
    output: { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] },
    run({ size, count, tags }) {
      // Each line compiles only if the inference is as tight as it says.
      const exact: 's' | 'm' = size
      const maybe: number | undefined = count
      const texts: readonly string[] = tags ?? []
      return { total: exact.length + (maybe ?? 0) + texts.length }
    },
    compensate(_input, output) {
      const total: number | undefined = output?.total
      return { total: total ?? null }
    },
  })
  assert.deepEqual(await service.run({ size: 'm', count: 2, tags: ['a'] }, testContext()), {
    total: 4,
  })
})

test('giveUp is not retried, retryLater and a plain ServiceError are', () => {
  assert.equal(giveUp('a', 'b').retryable, false)
  assert.equal(retryLater('a', 'b').retryable, true)
  assert.equal(new ServiceError('a', 'b').retryable, true)
  assert.deepEqual(giveUp('a', 'b', { c: 1 }).details, { c: 1 })
})
