import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '../rest-client.js'
import { ApiNode } from './api-node.js'

const node = ApiNode.forThisFile()

const STOPPING = [503, 'not_ready']

function said({ status, body }: Answer): [number, string | undefined] {
  return [status, body.code]
}

test('a node that waits for its attempts says that it is alive and not ready, shows its jobs, and takes nothing', async () => {
  const sleep = { service: 'test.sleep', input: { ms: 60_000 } }
  const { body: job } = await node.rest.submit(sleep)
  const url = `/v1/jobs/${job.id}`
  while ((await node.rest.call('GET', url)).body.status !== 'running');
  let isOver = false
  const stopped = node.stop().then(() => {
    isOver = true
  })
  assert.equal((await node.rest.call('GET', '/livez')).status, 200)
  const ready = await node.rest.call('GET', '/readyz')
  assert.deepEqual(said(ready), STOPPING)
  assert.equal(ready.headers['connection'], 'close', 'the client is to look for another node')
  assert.match(ready.body.detail, /the node is stopping/)
  assert.equal((await node.rest.call('GET', url)).body.status, 'running')
  const ring = await node.rest.call('GET', '/v1/ring')
  assert.equal(ring.body.nodes[0].state, 'draining')
  for (const path of [`${url}?wait=10s`, `${url}/events`]) {
    assert.deepEqual(said(await node.rest.call('GET', path)), STOPPING, path)
  }
  assert.deepEqual(said(await node.rest.submit(sleep)), STOPPING)
  assert.deepEqual(said(await node.rest.call('POST', `${url}/cancel`)), STOPPING)
  assert.equal(isOver, false)
  await stopped
  await assert.rejects(fetch(`${node.url}/livez`))
})
