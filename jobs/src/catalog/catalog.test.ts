import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkJobDefinition } from '../spec/make-plan.js'
import { order, textIndex } from './index.js'

test('every job of the catalog is a valid definition, and plain data', () => {
  for (const job of [order, textIndex]) {
    assert.deepEqual(checkJobDefinition(job), [], job.name)
    assert.deepEqual(JSON.parse(JSON.stringify(job)), job)
  }
})
