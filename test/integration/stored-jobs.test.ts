import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { storeJobs } from '../bench/growth/stored-jobs.js'
import { familiesOf, valueOf } from './metrics-text.js'
import { GYRE, NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const ARCS = 4
const JOBS = 102

test('a folder that the growth benchmark has filled is a whole one: verified, served and used further', async (t) => {
  const folder = temporaryFolder(t)
  const args = ['--data', folder, '--arcs', String(ARCS)]
  const first = await NodeProcess.start(t, [...args, '--init'])
  const { body: own } = await RestClient.open(t, first.url).submit({ service: 'test.echo' })
  assert.deepEqual(await first.terminate(), { code: 0, signal: null })
  storeJobs(folder, ARCS, JOBS)
  const verified = spawnSync(process.execPath, [GYRE, 'verify', folder], { encoding: 'utf8' })
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)
  const node = await NodeProcess.start(t, ['--data', folder])
  const client = RestClient.open(t, node.url)
  const page = familiesOf((await client.call('GET', '/metrics')).body)
  assert.equal(valueOf(page, 'gyre_jobs', { status: 'succeeded' }), JOBS + 1)
  const { body: list } = await client.call('GET', '/v1/jobs?limit=200')
  assert.equal(list.items.length, JOBS + 1)
  for (const { id } of list.items) {
    const { body: history } = await client.call('GET', `/v1/jobs/${id}/history`)
    assert.equal(history.items.at(-1).type, 'job_ended')
  }
  assert.equal((await client.finished(own.id)).status, 'succeeded')
  const { body: next } = await client.submit({ service: 'test.echo', input: 1 })
  assert.equal((await client.finished(next.id)).output, 1)
})
