import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

/** A refusal reaches clients that write their whole body before they read. */

const node = ApiNode.forThisFile()

const JSON_TYPE = { 'content-type': 'application/json' }

/** JSON of a little more than the limit of a batch. */
const BATCH = `{"jobs":["${'x'.repeat(8_600_000)}"]}`

test('a batch of 8.6 MB is answered with 413, however it is sent', async () => {
  for (let round = 0; round < 5; round += 1) {
    const whole = await fetch(`${node.url}/v1/jobs/batch`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: BATCH,
    })
    assert.equal(whole.status, 413)
    const { code, detail }: ReturnType<typeof JSON.parse> = await whole.json()
    assert.equal(code, 'payload_too_large')
    assert.match(detail, /8388608/)
  }
})

for (const connection of ['keep-alive', 'close']) {
  for (const framing of ['length', 'chunks']) {
    test(`writing first and reading later gives the refusal: ${framing}, ${connection}`, async () => {
      const answer = await writeThenRead(framing, connection)
      assert.match(answer, /^HTTP\/1\.1 413 /)
      assert.match(answer, /payload_too_large/)
    })
  }
}

test('other refusals before the body is read reach such a client as well', async () => {
  for (const [path, status] of [
    ['/v1/nothing', 404],
    ['/livez', 405],
  ] as const) {
    const answer = await fetch(node.url + path, { method: 'POST', headers: JSON_TYPE, body: BATCH })
    await answer.text()
    assert.equal(answer.status, status)
  }
})

test('a body without end is cut off, not read for ever', async () => {
  const sent = await new Promise<number>((resolve) => {
    const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
    const block = Buffer.alloc(1024 * 1024, 'x')
    let bytes = 0
    const pump = (): void => {
      while (!socket.destroyed) {
        bytes += block.length
        if (!socket.write(block)) break
      }
    }
    socket.write(headOf('/v1/jobs/batch', 'Content-Length: 99999999999\r\n'))
    socket.on('drain', pump).on('error', () => {})
    socket.on('close', () => resolve(bytes)).resume()
    pump()
  })
  assert.ok(sent < 256 * 1024 * 1024, `${sent} bytes were taken`)
})

function headOf(path: string, headers: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n`
}

/** Does not look at the answer before everything is written. */
function writeThenRead(framing: string, connection: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(node.url).port), '127.0.0.1')
    const isChunked = framing === 'chunks'
    const size = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${BATCH.length}`
    socket.write(headOf('/v1/jobs/batch', `${size}\r\nConnection: ${connection}\r\n`))
    const body = isChunked ? `${BATCH.length.toString(16)}\r\n${BATCH}\r\n0\r\n\r\n` : BATCH
    let text = ''
    socket.write(body, (error) => {
      if (error) return reject(error)
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part
        if (text.includes('payload_too_large')) socket.destroy()
      })
    })
    socket.on('error', reject).on('close', () => resolve(text))
    socket.setTimeout(15_000, () => socket.destroy())
  })
}
