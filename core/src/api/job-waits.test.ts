import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { NodeClient, Watch } from '../runtime/node-client.js'
import { JobWaits } from './job-waits.js'

const ENDED: Reply = { ok: true, result: 'found', body: '{}' }

/** Watches that end when the test says so. */
function setup() {
  const open = new Set<string>()
  const ends = new Map<string, (reply: Reply) => void>()
  const watchJob = (id: string): Watch => {
    open.add(id)
    const reply = new Promise<Reply>((resolve) => ends.set(id, resolve))
    return { reply, cancel: () => open.delete(id) }
  }
  const client: Pick<NodeClient, 'watchJob'> = { watchJob }
  const waits = new JobWaits(client)
  const end = (id: string): void => {
    open.delete(id)
    ends.get(id)?.(ENDED)
  }
  return { waits, open, end }
}

test('whoever waits gets the end of the job', async () => {
  const { waits, end } = setup()
  const wait = waits.untilEnded('a', { waitMs: 60_000, signal: new AbortController().signal })
  end('a')
  assert.equal(await wait, ENDED)
  assert.equal(waits.count, 0)
})

test('time that runs out takes the watch back', async () => {
  const { waits, open } = setup()
  const { signal } = new AbortController()
  assert.equal(await waits.untilEnded('a', { waitMs: 1, signal }), null)
  assert.deepEqual([open.size, waits.count], [0, 0])
})

test('a client that goes away takes its watch back', async () => {
  const { waits, open } = setup()
  const gone = new AbortController()
  const wait = waits.untilEnded('a', { waitMs: 60_000, signal: gone.signal })
  gone.abort()
  assert.equal(await wait, null)
  assert.deepEqual([open.size, waits.count], [0, 0])
})

test('stopping answers all who wait, and nobody waits any more', async () => {
  const { waits, open } = setup()
  const { signal } = new AbortController()
  const all = ['a', 'b', 'c'].map((id) => waits.untilEnded(id, { waitMs: 60_000, signal }))
  waits.stop()
  assert.deepEqual(await Promise.all(all), [null, null, null])
  assert.equal(await waits.untilEnded('d', { waitMs: 60_000, signal }), null)
  assert.deepEqual([open.size, waits.count], [0, 0])
})

test('past the limit nobody waits', async () => {
  const { waits, end } = setup()
  const { signal } = new AbortController()
  const options = { waitMs: 60_000, signal }
  let number = 0
  while (!waits.isFull) void waits.untilEnded(String((number += 1)), options)
  assert.equal(await waits.untilEnded('late', options), null)
  end('1')
  await Promise.resolve()
  await Promise.resolve()
  assert.equal(waits.isFull, false)
  waits.stop()
})
