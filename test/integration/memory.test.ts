import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** What strangers send, however much and however slowly, leaves a node its memory and its clients. */

/** Some 650 were measured; 1,600 when all pages were on their way at once. */
const PAGES_MIB_MAX = 800

/** A body that stands still is refused after ten seconds, not after the minute of a whole request. */
const HALF_BODIES_MS_MAX = 45_000

const BATCH_HEAD = 'POST /v1/jobs/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'

test('bodies that come as pieces of one byte each take no more memory than others', async (t) => {
  const node = await startNode(t)
  const pieces = 512 * 1024
  const body = `${BATCH_HEAD}Transfer-Encoding: chunked\r\n\r\n${'1\r\n1\r\n'.repeat(pieces)}0\r\n\r\n`
  const answers = await Promise.all([1, 2].map(() => answerTo(open(t, node.url), body)))
  for (const answer of answers) assert.match(answer, /"code":"invalid_request"/)
  // Kept as they came, these pieces would be some 700 MiB.
  assert.ok(peakMiB(node) < 450, `${peakMiB(node)} MiB`)
})

test('clients that announce much and send little keep nobody else from submitting', async (t) => {
  const node = await startNode(t)
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

test('bodies that stop half-way keep nobody from submitting, and are refused politely', async (t) => {
  const node = await startNode(t)
  const client = RestClient.open(t, node.url)
  // Each has all but its last byte: together as much as the node takes at a time.
  const began = performance.now()
  const almost = `${BATCH_HEAD}Content-Length: 8000001\r\n\r\n${' '.repeat(8_000_000)}`
  const stalled = [1, 2, 3, 4].map(() => answerTo(open(t, node.url), almost))
  await untilMetric(client, /^gyre_http_bodies_in_flight_bytes 32000000$/m)
  const job = { service: 'test.echo', input: 'x'.repeat(200 * 1024) }
  await untilTaken(client, { jobs: Array(10).fill(job) })
  for (const answer of await Promise.all(stalled)) {
    assert.match(answer, /^HTTP\/1\.1 (408|503) [^]*"code":"(request_timeout|overloaded)"/)
  }
  assert.ok(performance.now() - began < HALF_BODIES_MS_MAX, 'they were kept for a minute')
})

/** Sends a batch until it is taken, at the pace that clients are told. */
async function untilTaken(client: RestClient, body: object): Promise<void> {
  for (let time = 0; time < 5; time += 1) {
    const { status } = await client.call('POST', '/v1/jobs/batch', { body })
    if (status === 202) return
    await pause(1000)
  }
  assert.fail('bodies that nobody sends any more keep others out')
}

test('a connection that asks on and on and reads nothing is not given all its answers to keep', async (t) => {
  const node = await startNode(t)
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

test('clients that ask for large pages and read nothing are given what fits, and then cut off', async (t) => {
  const node = await startNode(t)
  const client = RestClient.open(t, node.url)
  const page = await largePage(client)
  const asked = `GET ${page} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(16)
  // 14 connections of 16 pages of 2 MiB each: 448 MiB.
  const silent = Array.from({ length: 14 }, () => open(t, node.url).pause())
  for (const socket of silent) socket.write(asked)
  await untilMetric(client, /^gyre_http_unread_bytes [1-9]\d{7,}$/m)
  assert.equal((await client.call('GET', '/readyz')).status, 200, 'what is small is told')
  const { status, body } = await client.submit({ service: 'test.echo', input: 1 })
  assert.equal(status, 202)
  assert.equal((await client.finished(body.id)).status, 'succeeded')
  // Nobody of them goes: the node does it, after half a minute.
  await untilMetric(client, /^gyre_http_unread_bytes 0$/m)
  await untilMetric(client, /^gyre_http_requests_total\{.*items",status="503"\} [1-9]/m)
  assert.equal((await client.call('GET', page)).status, 200)
  t.diagnostic(`${peakMiB(node)} MiB`)
  assert.ok(peakMiB(node) < PAGES_MIB_MAX, `${peakMiB(node)} MiB`)
})

/** A page of 2 MiB: ten outputs of 200 KiB. @returns its path */
async function largePage(client: RestClient): Promise<string> {
  const each = { service: 'test.echo', forEach: { range: 10 }, input: { $from: '/input' } }
  const steps = { each: { ...each, collect: 'count' } }
  const { body } = await client.submit({ steps, input: 'x'.repeat(200 * 1024) })
  assert.equal((await client.finished(body.id)).status, 'succeeded')
  return `/v1/jobs/${body.id}/steps/each/items?limit=1000`
}

/** Resolves when the metrics say so; a minute and a half at most. */
async function untilMetric(client: RestClient, said: RegExp): Promise<void> {
  const until = performance.now() + 90_000
  for (;;) {
    const { body } = await client.call('GET', '/metrics')
    if (said.test(body)) return
    assert.ok(performance.now() < until, `the metrics never say ${String(said)}`)
    await pause(200)
  }
}

test('a flood of large batches is refused before it fills the memory, and what was taken is done', async (t) => {
  const node = await startNode(t)
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

function startNode(owner: Owner): Promise<NodeProcess> {
  return NodeProcess.start(owner, ['--data', temporaryFolder(owner), '--init'])
}

function open(owner: Owner, url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  atEnd(owner, () => socket.destroy())
  return socket
}

/** What comes back until it matches; all of it when the node closes. */
function answerTo(socket: Socket, bytes: string, until: RegExp | null = /"code"/): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
      if (until?.test(text) === true) resolve(text)
    })
    socket.on('error', reject).on('close', () => resolve(text))
    socket.write(bytes, 'latin1')
  })
}

/** The most memory that the process ever held, as Linux counts it. */
function peakMiB({ pid }: NodeProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)
}
