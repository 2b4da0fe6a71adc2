import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordCalls } from './record-calls.js'

test('what a record cannot hold is named for what it is', () => {
  const calls = new RecordCalls(() => {})
  const dht = calls.of(new AbortController().signal)
  const nothing = undefined as unknown as number
  return assert.rejects(dht.put('k', nothing), (error: Error) => {
    assert.equal(
      error.message,
      'record k cannot hold this: the value is undefined, which JSON cannot carry; give plain data',
    )
    return true
  })
})
