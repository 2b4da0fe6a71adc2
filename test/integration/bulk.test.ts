import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const BATCHES = 4
const BATCH_JOBS = 1000
/** How often the node is killed while it works on the action. */
const KILLS = 4

test('a bulk action over thousands of jobs goes on after each kill -9 and counts every job once', async (t) => {
  const folder = temporaryFolder(t)
  let node = await NodeProcess.start(t, ['--data', folder, '--init'])
  let rest = RestClient.open(t, node.url)
  const job = { service: 'test.echo', delay: '1h', labels: { of: 'bulk' } }
  const jobs = Array.from({ length: BATCH_JOBS }, () => job)
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const { status } = await rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
    assert.equal(status, 202)
  }
  const body = { action: 'cancel', filter: { 'label.of': 'bulk' } }
  const { body: bulk } = await rest.call('POST', '/v1/jobs/actions', { body })
  for (let kill = 0; kill < KILLS; kill += 1) {
    await node.kill()
    node = await NodeProcess.start(t, ['--data', folder])
    rest = RestClient.open(t, node.url)
    // A little of it is done in each life.
    await rest.call('GET', '/v1/jobs/counts?label.of=bulk')
  }
  const done = await rest.finished(bulk.id)
  const total = BATCHES * BATCH_JOBS
  assert.deepEqual(
    [done.status, done.output],
    ['succeeded', { done: total, skipped: 0, failed: 0 }],
  )
  const { body: counts } = await rest.call('GET', '/v1/jobs/counts?label.of=bulk')
  assert.deepEqual(counts.byStatus, { cancelled: total })
})
