import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool } from 'undici'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { answerTo, BATCH_HEAD, open, peakMiB, startEmptyNode } from './raw-clients.js'
import { RestClient } from './rest-client.js'

/** What strangers send, however much and however slowly, leaves a node its memory and its clients. */

test('bodies that come as pieces of one byte each take no more memory than others', async (t) => {
  const node = await startEmptyNode(t)
  const pieces = 512 * 1024
  const body = `${BATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n${'1\r\n1\r\n'.repeat(pieces)}0\r\n\r\n`
  const answers = await Promise.all([1, 2].map(() => answerTo(open(t, node.url), body)))
  for (const answer of answers) assert.match(answer, /"code":"invalid_request"/)
  // Kept as they came, these pieces would be some 700 MiB.
  assert.ok(peakMiB(node) < 450, `${peakMiB(node)} MiB`)
})

test('clients that announce much and send little keep nobody else from submitting', async (t) => {
  const node = await startEmptyNode(t)
  const client = new RestClient(node.url)
  atEnd(t, () => client.close())
  const slow = `${BATCH_HEAD}Content-Length: 8388608\r\nExpect: 100-continue\r\n\r\n`
  const told = await Promise.all(
    Array.from({ length: 100 }, () => answerTo(open(t, node.url), slow, /\r\n\r\n/)),
  )
  for (const text of told) assert.match(text, /^HTTP\/1\.1 100 /, 'the node waits for its body')
  const input = 'x'.repeat(200 * 1024)
  const { status, body } = await client.submit({ service: 'test.echo', input })
  assert.equal(status, 202, body.detail)
})

test('a connection that asks on and on and reads nothing is not given all its answers to keep', async (t) => {
  const node = await startEmptyNode(t)
  const client = RestClient.open(t, node.url)
  await client.call('PUT', '/v1/dht/large', { body: 'x'.repeat(250 * 1024) })
  const reads = 400
  // All in one packet, which fits into one read.
  const read = 'GET /v1/dht/large HTTP/1.1\r\nHost: a\r\n'
  const asked = `${`${read}\r\n`.repeat(reads - 1)}${read}Connection: close\r\n\r\n`
  const text = await answerTo(open(t, node.url), asked, null)
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
  assert.equal(statuses.length, reads, 'each is answered, in order')
  assert.deepEqual([statuses[0], statuses.at(-1)], ['200', '503'])
  assert.ok(peakMiB(node) < 300, `${peakMiB(node)} MiB`)
})

test('a flood of large batches is refused before it fills the memory, and what was taken is done', async (t) => {
  const node = await startEmptyNode(t)
  const connections = 24
  const pool = new Pool(node.url, { connections })
  atEnd(t, () => pool.destroy())
  const job = { service: 'test.echo', input: 'x'.repeat(20 * 1024) }
  const body = JSON.stringify({ jobs: Array(390).fill(job) })
  const path = '/v1/jobs/batch'
  const headers = { 'content-type': 'application/json' }
  const ids: string[] = []
  const send = async (): Promise<void> => {
    const answer = await pool.request({ method: 'POST', path, headers, body })
    const said: ReturnType<typeof JSON.parse> = await answer.body.json()
    assert.ok([202, 503].includes(answer.statusCode), `answered with ${answer.statusCode}`)
    if (answer.statusCode === 202) ids.push(said.results[0].id)
    else assert.equal(said.code, 'overloaded')
  }
  const lane = async (): Promise<void> => {
    for (let round = 0; round < 3; round += 1) await send()
  }
  await Promise.all(Array.from({ length: connections }, lane))
  // As bodies alone these are 550 MiB, and each is there several times on its way.
  assert.ok(peakMiB(node) < 1000, `${peakMiB(node)} MiB`)
  const client = new RestClient(node.url)
  atEnd(t, () => client.close())
  assert.ok(ids.length > 0, 'some were taken')
  for (const id of ids) assert.equal((await client.finished(id)).status, 'succeeded')
})
