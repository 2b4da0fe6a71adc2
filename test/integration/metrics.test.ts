import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { type Family, familiesOf, valueOf } from './metrics-text.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** This file runs from test/dist/integration. */
const PAGE = join(import.meta.dirname, '../../../core/docs/reference/metrics.md')

/** A job of each kind that has figures of its own. */
async function useAll(client: RestClient): Promise<void> {
  const wait = { prefer: 'wait=20' }
  await client.submit({ service: 'test.echo' }, undefined, wait)
  await client.submit({ service: 'test.fail' }, undefined, wait)
  await client.call('GET', '/v1/jobs/none')
}

async function scrape(client: RestClient): Promise<Map<string, Family>> {
  const { status, body } = await client.call('GET', '/metrics')
  assert.equal(status, 200)
  return familiesOf(body)
}

interface Row {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
  readonly alert: string
}

function rowsOfPage(): Row[] {
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `gyre_'))
    .map((line) => {
      const [name = '', type = '', labels = '', help = '', alert = ''] = line.split(' | ')
      return {
        name: name.slice(3, -1),
        type,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
        help,
        alert: alert.slice(0, -2),
      }
    })
}

test('the page of metrics and what a node serves are the same, name by name', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  await useAll(client)
  const served = [...(await scrape(client))].map(([name, { type, labels, help }]) => {
    return { name, type, labels, help }
  })
  const rows = rowsOfPage()
  const remedy =
    'Remedy: core/src/api/metric-families.ts and core/docs/reference/metrics.md say the same'
  const told = rows.map(({ name, type, labels, help }) => ({ name, type, labels, help }))
  assert.deepEqual(served, told, remedy)
  for (const { name, alert } of rows) assert.notEqual(alert, '', `${name}: an alert, or –`)
})

test('names tell their units, counters end in _total, and no label holds an ID', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  await useAll(client)
  for (const [name, { type, samples }] of await scrape(client)) {
    assert.match(name, /^gyre_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    for (const { labels } of samples) {
      for (const value of Object.values(labels)) assert.doesNotMatch(value, /[0-9a-f]{32}/, name)
    }
  }
})

test('after kill -9 gauges of state are right at once, and counters begin at 0', async (t) => {
  const folder = temporaryFolder(t)
  const node = await NodeProcess.start(t, ['--data', folder, '--init'])
  const client = RestClient.open(t, node.url)
  await useAll(client)
  const { status } = await client.submit({ service: 'test.echo', runAt: inAnHour() })
  assert.equal(status, 202)
  const before = await scrape(client)
  assert.equal(valueOf(before, 'gyre_jobs_submitted_total'), 3)
  assert.equal(
    valueOf(before, 'gyre_log_batch_commands_count'),
    valueOf(before, 'gyre_log_syncs_total'),
  )
  assert.ok(valueOf(before, 'gyre_commit_duration_seconds_count') >= 5, 'three jobs, two ends')
  assert.equal(
    valueOf(before, 'gyre_attempts_total', { service: 'test.echo', outcome: 'succeeded' }),
    1,
  )
  await node.kill()
  const again = await NodeProcess.start(t, ['--data', folder])
  const after = await scrape(RestClient.open(t, again.url))
  for (const [state, count] of [
    ['succeeded', 1],
    ['failed', 1],
    ['scheduled', 1],
    ['queued', 0],
  ] as const) {
    assert.equal(valueOf(after, 'gyre_jobs', { status: state }), count, state)
  }
  assert.equal(valueOf(after, 'gyre_jobs_submitted_total'), 0)
  assert.equal(valueOf(after, 'gyre_jobs_ended_total', { status: 'succeeded' }), 0)
  assert.equal(
    valueOf(after, 'gyre_attempts_total', { service: 'test.echo', outcome: 'succeeded' }),
    0,
  )
})

test('a job that waits for a slot is seen in its queue, with its age and the slots of its service', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  const service = 'test.sleep'
  const idle = await scrape(client)
  const free = valueOf(idle, 'gyre_credits_free', { service })
  assert.ok(free > 0 && free <= valueOf(idle, 'gyre_credits_granted', { service }))
  const jobs = Array.from({ length: free + 1 }, () => ({ service, input: { ms: 60_000 } }))
  const { status } = await client.call('POST', '/v1/jobs/batch', { body: { jobs } })
  assert.equal(status, 202)
  const busy = await whenWaiting(client, service)
  assert.equal(valueOf(busy, 'gyre_credits_free', { service }), 0)
  assert.equal(valueOf(busy, 'gyre_ready_tasks', { service }), 1)
  assert.equal(valueOf(busy, 'gyre_service_running_attempts', { service }), free)
})

/** The first page on which a task of the service has waited for some time. */
async function whenWaiting(client: RestClient, service: string): Promise<Map<string, Family>> {
  for (let look = 0; look < LOOKS; look += 1) {
    const page = await scrape(client)
    const isFull = valueOf(page, 'gyre_credits_free', { service }) === 0
    if (isFull && valueOf(page, 'gyre_oldest_waiting_seconds', { service }) > 0) return page
  }
  throw new Error(`after ${LOOKS} looks nothing waits for ${service}`)
}

/** A scrape takes some milliseconds; a queue is told a turn after its submission was answered. */
const LOOKS = 1000

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString()
}
