import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { ThreadLink, type ThreadPort } from './thread-link.js'

interface Note {
  readonly kind: 'note'
  readonly n: number
  readonly body?: string
}

/** Both ends of one channel; `received` fulfils once `count` messages are there. */
function setup(count: number): {
  link: ThreadLink<Note, Note>
  turns: (readonly Note[])[]
  received: Promise<void>
  close: () => void
} {
  const { port1, port2 } = new MessageChannel()
  const turns: (readonly Note[])[] = []
  const other = new ThreadLink<Note, Note>(port2)
  const received = new Promise<void>((resolve) => {
    other.onReceive((messages) => {
      turns.push(messages)
      if (turns.flat().length >= count) resolve()
    })
  })
  return { link: new ThreadLink<Note, Note>(port1), turns, received, close: () => port1.close() }
}

test('messages of one turn arrive together, in order, with their bodies', async () => {
  const { link, turns, received, close } = setup(3)
  link.send({ kind: 'note', n: 1, body: '{"ü":1}' })
  link.send({ kind: 'note', n: 2 })
  process.nextTick(() => link.send({ kind: 'note', n: 3, body: '' }))
  await received
  close()
  assert.deepEqual(turns, [
    [
      { kind: 'note', n: 1, body: '{"ü":1}' },
      { kind: 'note', n: 2 },
      { kind: 'note', n: 3, body: '' },
    ],
  ])
})

test('later turns arrive later and nothing is lost', async () => {
  const { link, turns, received, close } = setup(200)
  for (let n = 0; n < 200; n += 1) {
    link.send({ kind: 'note', n })
    if (n % 20 === 19) await new Promise((resolve) => setImmediate(resolve))
  }
  await received
  close()
  assert.deepEqual(
    turns.flat().map((note) => note.n),
    Array.from({ length: 200 }, (_, n) => n),
  )
  assert.ok(turns.length > 1)
})

test('a turn without messages posts nothing', async () => {
  const posted: unknown[] = []
  const port: ThreadPort = { postMessage: (turn) => posted.push(turn), on: () => undefined }
  const link = new ThreadLink<Note, Note>(port)
  link.send({ kind: 'note', n: 1 })
  assert.equal(posted.length, 0)
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(posted.length, 1)
})
