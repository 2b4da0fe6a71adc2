import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { EventEmitter, once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { atEnd } from '../adapters/testing/at-end.js'
import { UNREAD_BYTES_MAX, UNREAD_PER_CONNECTION_BYTES_MAX } from './limits.js'
import { UnreadAnswers } from './unread-answers.js'

const PATIENCE_MS = 300
/** Far more than the system keeps of it between the two ends. */
const LARGE = 'x'.repeat(64 * 1024 * 1024)

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** A server whose answers are held as the API holds its own. */
async function setup(t: TestContext, answer: (response: ServerResponse) => unknown) {
  const unread = new UnreadAnswers(PATIENCE_MS)
  const server = createServer((_, response) => answer(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert(typeof address === 'object' && address !== null)
  const client = connect(address.port, '127.0.0.1')
  atEnd(t, () => client.destroy())
  atEnd(t, () => server.close())
  return { unread, client }
}

function send(unread: UnreadAnswers, response: ServerResponse, text: string, isLast = true): void {
  const { socket } = response
  assert(socket !== null)
  unread.hold(socket, { response, bytes: text.length }, () => isLast)
  response.end(text)
}

test('a client that takes nothing of its answer is cut off, and what was kept for it is given back', async (t) => {
  let tell = (): void => {}
  const gone = new Promise<void>((resolve) => {
    tell = resolve
  })
  const { unread, client } = await setup(t, (response) => {
    send(unread, response, LARGE)
    response.socket?.once('close', tell)
  })
  client.pause()
  client.write(REQUEST)
  await gone
  assert.equal(unread.bytes, 0)
})

test('a client that reads slowly, but reads, gets all of its answer', async (t) => {
  const { unread, client } = await setup(t, (response) => send(unread, response, LARGE))
  client.write(REQUEST)
  let bytes = 0
  const began = performance.now()
  client.on('data', (part) => {
    bytes += part.length
    if (bytes >= LARGE.length) client.destroy()
    // A pause within its patience, some times over.
    if (performance.now() - began > PATIENCE_MS * 3) return
    client.pause()
    setTimeout(() => client.resume(), 20)
  })
  await once(client, 'close')
  assert.ok(bytes >= LARGE.length, `${bytes} bytes`)
  assert.ok(performance.now() - began > PATIENCE_MS * 3)
})

test('an answer that was read leaves nothing behind, and its connection may be silent again', async (t) => {
  let first: Promise<unknown> | undefined
  let patience: number | undefined
  const { unread, client } = await setup(t, async (response) => {
    if (first === undefined) {
      first = once(response, 'close')
      return send(unread, response, 'first', false)
    }
    await first
    // Like the wait for a job: nothing is said, for as long as it takes.
    patience = response.socket?.timeout
    send(unread, response, 'second')
  })
  client.write(REQUEST + REQUEST)
  let text = ''
  client.setEncoding('latin1').on('data', (part: string) => {
    text += part
    if (text.includes('second')) client.destroy()
  })
  await once(client, 'close')
  assert.match(text, /first[^]*second/)
  assert.equal(patience, 0)
  assert.equal(unread.bytes, 0)
})

test('what is small is always given, large answers within the bounds of connection and node', () => {
  const unread = new UnreadAnswers()
  const full = Array.from({ length: UNREAD_BYTES_MAX / UNREAD_PER_CONNECTION_BYTES_MAX }, () => {
    const socket = new Socket()
    hold(unread, socket, UNREAD_PER_CONNECTION_BYTES_MAX)
    return socket
  })
  const other = new Socket()
  assert.equal(unread.hasRoom(other, 1024 * 1024), false, 'the node keeps enough')
  assert.ok(unread.hasRoom(other, 1000), 'health is told in any case')
  for (const socket of full.slice(0, 2)) socket.emit('close')
  assert.ok(unread.hasRoom(other, 1024 * 1024), 'what a connection left unread went with it')
  hold(unread, other, UNREAD_PER_CONNECTION_BYTES_MAX - 100)
  assert.equal(unread.hasRoom(other, 1000), false, 'this connection was given enough')
  assert.equal(unread.isFull(other), false)
  hold(unread, other, 1000)
  assert.ok(unread.isFull(other), 'it may ask for nothing more')
})

function hold(unread: UnreadAnswers, socket: Socket, bytes: number): void {
  unread.hold(socket, { response: new EventEmitter(), bytes }, () => true)
}
