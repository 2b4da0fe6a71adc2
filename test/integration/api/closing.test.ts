import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

const node = ApiNode.forThisFile()

test('a node that stops answers those who wait with the job as it is, and then hears nobody', async () => {
  const sleep = { service: 'test.sleep', input: { ms: 60_000 } }
  const { body: job } = await node.rest.submit(sleep)
  const waiting = [
    node.rest.call('GET', `/v1/jobs/${job.id}?wait=60s`),
    node.rest.submit(sleep, undefined, { prefer: 'wait=60' }),
  ] as const
  while ((await waits()) < 2);
  const began = performance.now()
  const stopped = node.stop()
  const [read, submitted] = await Promise.all(waiting)
  assert.equal(read.status, 200)
  assert.equal(read.body.id, job.id)
  assert.equal(submitted.status, 202)
  assert.ok(performance.now() - began < 20_000, 'nobody waited for the minute')
  await stopped
  await assert.rejects(fetch(`${node.url}/livez`))
})

async function waits(): Promise<number> {
  const { body } = await node.rest.call('GET', '/metrics')
  return Number(/^gyre_http_waits (\d+)/m.exec(body)?.[1])
}
