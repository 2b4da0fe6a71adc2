import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LazySignal } from './lazy-signal.js'
import { RecordCalls } from './record-calls.js'

test('what a record cannot hold is named for what it is', () => {
  const calls = new RecordCalls(() => {})
  const dht = calls.of(new LazySignal(), { isOver: false })
  const nothing = undefined as unknown as number
  return assert.rejects(dht.put('k', nothing), (error: Error) => {
    assert.equal(
      error.message,
      'record k cannot hold this: the value is undefined, which JSON cannot carry; give plain data',
    )
    return true
  })
})

test('what goes on after its attempt has ended reads and writes no records', async () => {
  const sent: string[] = []
  const calls = new RecordCalls((_call, body) => sent.push(body))
  const life = { isOver: false }
  const dht = calls.of(new LazySignal(), life)
  void dht.get('before')
  life.isOver = true
  const tooLate = { code: 'attempt_aborted', retryable: false }
  await assert.rejects(dht.put('n', 1), tooLate)
  await assert.rejects(
    dht.update('n', () => 1),
    tooLate,
  )
  assert.deepEqual(sent, ['{"op":"get","key":"before"}'])
})
