import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Memos } from './memos.js'
import type { Dispatch } from './messages.js'

const DISPATCH: Dispatch = {
  kind: 'dispatch',
  arc: 0,
  index: 1,
  attempt: 'a',
  service: 'pure',
  hook: 'run',
  job: 'j',
  task: 't',
  step: 'main',
  item: null,
  number: 1,
  fence: 1,
  idempotencyKey: 'k',
  timeoutMs: 1000,
  next: [],
  body: '{"input":1}',
}
const MEMOISED: Dispatch = { ...DISPATCH, memo: { key: 'key', version: '1.0.0' }, recalled: '{}' }

function offering(version: string): Memos {
  const memos = new Memos()
  const service = { name: 'pure', version, timeoutMs: 1, concurrency: 1, compensates: false }
  memos.noteOffers(JSON.stringify({ services: [service], jobs: [], failures: [] }))
  return memos
}

test('a result is recalled, and may be kept, for the version that runs here', () => {
  const memos = offering('1.0.0')
  assert.equal(memos.recalled(MEMOISED), '{}')
  assert.equal(memos.keyOf(MEMOISED), 'key')
})

test('where another version runs than the job was planned for, nothing is recalled or kept', () => {
  for (const memos of [offering('1.0.1'), new Memos()]) {
    assert.equal(memos.recalled(MEMOISED), null)
    assert.equal(memos.keyOf(MEMOISED), null)
  }
})

test('what is not memoised, or not known yet, is run', () => {
  const memos = offering('1.0.0')
  assert.deepEqual([memos.recalled(DISPATCH), memos.keyOf(DISPATCH)], [null, null])
  const { recalled: _, ...unknown } = MEMOISED
  assert.equal(memos.recalled(unknown), null)
})
