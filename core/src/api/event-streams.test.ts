import assert from 'node:assert/strict'
import { PassThrough, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { EventPage, NodeClient, Watch } from '../runtime/node-client.js'
import { EventStreams, type EventsPage } from './event-streams.js'
import { EVENT_STREAMS_MAX } from './limits.js'

const LONG = { heartbeatMs: 60_000, readerMs: 60_000 }

/** A ledger that tells its next page when the test says so. */
function setup(patience = LONG) {
  const asked: EventPage[] = []
  let tell: (reply: Reply) => void = () => {}
  let open = 0
  const followJob = (_id: string, page: EventPage): Watch => {
    asked.push(page)
    open += 1
    const reply = new Promise<Reply>((resolve) => {
      tell = resolve
    })
    return { reply, cancel: () => (open -= 1) }
  }
  const client: Pick<NodeClient, 'followJob'> = { followJob }
  const streams = new EventStreams(client, patience)
  const gone = new AbortController()
  const openStream = (first: EventsPage): Readable =>
    streams.open({ id: 'a', after: 0, first, gone: gone.signal })
  const say = (page: EventsPage): void =>
    tell({ ok: true, result: 'found', body: JSON.stringify(page) })
  return { streams, asked, gone, openStream, say, watches: () => open }
}

function page(seqs: readonly number[], changes: Partial<EventsPage> = {}): EventsPage {
  return { items: seqs.map((seq) => ({ seq })), more: false, ended: false, ...changes }
}

function idsOf(told: string): number[] {
  return [...told.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
}

/** Reads until the text holds what is looked for. */
async function readUntil(stream: Readable, wanted: string): Promise<string> {
  let all = ''
  for await (const part of stream.iterator({ destroyOnReturn: false })) {
    all += String(part)
    if (all.includes(wanted)) return all
  }
  assert.fail(`the stream ended without ${wanted}: ${all}`)
}

test('a stream tells each event once, page after page, and ends behind the last', async () => {
  const { openStream, say, asked, streams } = setup()
  const stream = openStream(page([1, 2]))
  assert.match(
    await readUntil(stream, 'id: 2'),
    /^retry: 1000\n\nid: 1\ndata: {"seq":1}\n\nid: 2\n/,
  )
  const rest = text(stream)
  while (asked.length === 0) await new Promise(setImmediate)
  say(page([3], { more: true, ended: true }))
  while (asked.length === 1) await new Promise(setImmediate)
  say(page([4], { ended: true }))
  assert.deepEqual(idsOf(await rest), [3, 4])
  assert.deepEqual(
    asked.map(({ after }) => after),
    [2, 3],
  )
  assert.equal(streams.count, 0)
})

test('what running attempts tell stands between the events, without an ID and once', async () => {
  const { openStream, say, asked } = setup()
  const told = text(openStream(page([1])))
  const next = async (pages: number): Promise<void> => {
    while (asked.length < pages) await new Promise(setImmediate)
  }
  await next(1)
  say(page([], { notes: 3, activity: { logLines: 7 } }))
  await next(2)
  say(page([2], { notes: 3, activity: { logLines: 7 } }))
  await next(3)
  say(page([3], { ended: true, notes: 4, activity: { logLines: 8 } }))
  const blocks = (await told).split('\n\n').slice(1, -1)
  assert.deepEqual(blocks, [
    'id: 1\ndata: {"seq":1}',
    'event: activity\ndata: {"logLines":7}',
    'id: 2\ndata: {"seq":2}',
    'id: 3\ndata: {"seq":3}',
  ])
  assert.deepEqual(
    asked.map(({ after, notes }) => [after, notes]),
    [
      [1, 0],
      [1, 3],
      [2, 3],
    ],
  )
})

test('a job that has ended is told at once, and nobody waits for it', async () => {
  const { openStream, asked } = setup()
  assert.deepEqual(idsOf(await text(openStream(page([1, 2, 3], { ended: true })))), [1, 2, 3])
  assert.equal(asked.length, 0)
})

test('silence is filled with comments, which are no events', async () => {
  const { openStream, say } = setup({ ...LONG, heartbeatMs: 1 })
  const stream = openStream(page([1]))
  assert.deepEqual(idsOf(await readUntil(stream, ': nothing new\n\n: nothing new\n\n')), [1])
  say(page([2], { ended: true }))
  assert.deepEqual(idsOf(await text(stream)), [2])
})

test('a client that goes away takes its watch back, and so does a node that stops', async () => {
  for (const end of ['gone', 'stop'] as const) {
    const { openStream, gone, streams, asked, watches } = setup()
    const stream = openStream(page([1]))
    const told = text(stream)
    while (asked.length === 0) await new Promise(setImmediate)
    if (end === 'gone') gone.abort()
    else streams.stop()
    assert.deepEqual(idsOf(await told), [1])
    assert.deepEqual([streams.count, watches()], [0, 0], end)
  }
})

test('an arc that does not answer any more ends the stream, and its client comes back later', async () => {
  const { streams } = setup()
  const refusal: Reply = { ok: false, code: 'apply_stopped', message: 'the state is full' }
  const followJob = (): Watch => ({ reply: Promise.resolve(refusal), cancel: () => {} })
  const stream = new EventStreams({ followJob }, LONG).open({
    id: 'a',
    after: 0,
    first: page([1]),
    gone: new AbortController().signal,
  })
  assert.deepEqual(idsOf(await text(stream)), [1])
  assert.equal(streams.count, 0)
})

test('a client that reads nothing is cut off, and what it did not read is not piled up', async () => {
  const { openStream, streams, say, asked } = setup({ ...LONG, readerMs: 5 })
  const stream = openStream(page([1]))
  const slow = new PassThrough({ highWaterMark: 1 })
  slow.on('error', () => {})
  stream.pipe(slow)
  const cut = finished(stream)
  say(page([2]))
  await assert.rejects(cut, /reads nothing/)
  assert.ok(asked.length <= 1, `${asked.length} pages were read for nobody`)
  assert.equal(streams.count, 0)
})

test('past the limit nobody follows, until somebody leaves', async () => {
  const { streams, openStream } = setup()
  const all: Readable[] = []
  while (!streams.isFull) all.push(openStream(page([])))
  assert.equal(streams.count, EVENT_STREAMS_MAX)
  all[0]?.destroy()
  await new Promise(setImmediate)
  assert.equal(streams.isFull, false)
  for (const stream of all) stream.destroy()
})
