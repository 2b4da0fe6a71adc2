import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { answerTo, BATCH_HEAD, open, peakMiB, startEmptyNode } from './raw-clients.js'
import { RestClient } from './rest-client.js'

/** Clients that stand still until the node has had enough of them. */

/** Some 650 were measured; 1,600 when all pages were on their way at once. */
const PAGES_MIB_MAX = 800

/** A body that stands still is refused after ten seconds, not after the minute of a whole request. */
const HALF_BODIES_MS_MAX = 45_000

// Each has a node of its own, and both do little but wait: for ten seconds, and for half a minute.
describe('a node waits for nobody for long', { concurrency: 2 }, () => {
  test('clients that ask for large pages and read nothing are given what fits, and then cut off', async (t) => {
    const node = await startEmptyNode(t)
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

  test('bodies that stop half-way keep nobody from submitting, and are refused politely', async (t) => {
    const node = await startEmptyNode(t)
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
