import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

test('100 racing submissions with one key make one job', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  const submission = { service: 'test.echo', input: { racer: true } }
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => client.submit(submission, 'one key')),
  )
  const ids = new Set(answers.map((answer) => answer.body.id))
  assert.equal(ids.size, 1)
  assert(answers.every(({ status }) => status === 202 || status === 200))
  const first = answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)
  assert.equal(first.length, 1, 'all but one answer say that they repeat')
  const job = await client.finished([...ids][0])
  assert.equal(job.status, 'succeeded')
  assert.deepEqual(job.output, { racer: true })
  assert.equal(job.steps[0]?.attemptCount, 1)
  const listed = await client.call('GET', '/v1/jobs')
  assert.equal(listed.body.items.length, 1)
})

test('the same key with another submission is refused, whatever order the members stand in', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  const first = await client.submit({ service: 'test.echo', input: { a: 1, b: 2 } }, 'k')
  const reordered = await client.submit({ input: { b: 2, a: 1 }, service: 'test.echo' }, 'k')
  assert.equal(reordered.body.id, first.body.id)
  const other = await client.submit({ service: 'test.echo', input: { a: 1, b: 3 } }, 'k')
  assert.equal(other.status, 422)
  assert.equal(other.body.code, 'idempotency_key_reused')
})

test('50 racing increments by compare-and-set lose none', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  const created = await client.call('PUT', '/v1/dht/counter', {
    body: 0,
    headers: { 'if-none-match': '*' },
  })
  assert.equal(created.status, 201)
  const losses = await Promise.all(Array.from({ length: 50 }, () => increment(client)))
  const { body, headers } = await client.call('GET', '/v1/dht/counter')
  assert.equal(body.value, 50)
  assert.equal(headers['etag'], `"${body.version}"`)
  assert(
    losses.some((count) => count > 0),
    'at least one racer lost a round, or nothing raced',
  )
})

/** Reads, adds one and writes on condition until it wins; gives how often it lost. */
async function increment(client: RestClient): Promise<number> {
  for (let lost = 0; lost < 500; lost += 1) {
    const read = await client.call('GET', '/v1/dht/counter')
    const written = await client.call('PUT', '/v1/dht/counter', {
      body: read.body.value + 1,
      headers: { 'if-match': String(read.headers['etag']) },
    })
    if (written.status === 200) return lost
    assert.equal(written.status, 412)
    assert.equal(written.body.code, 'version_conflict')
    assert(written.body.currentVersion > read.body.version)
  }
  throw new Error('no round won in 500')
}
