import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** `turn` has one slot and tells its place in line; with `hold` it waits until `open` was run. */
const PLUGIN = `
let opened
const gate = new Promise((resolve) => (opened = resolve))
let turns = 0
export const turn = {
  name: 'line.turn',
  concurrency: 1,
  async run(input) {
    turns += 1
    const place = turns
    if (input.hold) await gate
    return place
  },
}
export const open = { name: 'line.open', run() { opened() } }
`

const file = ownerOfThisFile()
let rest: RestClient
let node: NodeProcess
let data: string
let workers: string

before(async () => {
  workers = temporaryFolder(file)
  await writeFile(join(workers, 'line.mjs'), PLUGIN)
  data = join(temporaryFolder(file), 'data')
  node = await startNode('--init')
  rest = RestClient.open(file, node.url)
})

function startNode(...flags: string[]): Promise<NodeProcess> {
  return NodeProcess.start(file, ['--data', data, '--workers', workers, ...flags])
}

test('with one slot and 500 waiting jobs of priority 0, one of priority 9 is next', async () => {
  const hold = await rest.submit({ service: 'line.turn', input: { hold: true } })
  const waiting = { service: 'line.turn', priority: 0 }
  const jobs = Array.from({ length: 500 }, () => waiting)
  const { body: batch } = await rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  const urgent = await rest.submit({ service: 'line.turn', priority: 9 })
  assert.equal(urgent.body.priority, 9)
  assert.equal(hold.body.priority, 5)
  await rest.submit({ service: 'line.open' })
  assert.equal((await rest.finished(urgent.body.id)).output, 2)
  const last = batch.results.at(-1)
  assert.equal((await rest.finished(last.id)).status, 'succeeded')
})

test('a delayed job is scheduled until its time, and a restart of the node in between changes nothing', async () => {
  const { body } = await rest.submit({ service: 'test.echo', input: 1, delay: '2s' })
  assert.equal(body.status, 'scheduled')
  assert.equal(body.startedAt, null)
  assert.deepEqual(body.waitingFor, { kind: 'timer', until: body.runAt })
  assert.equal(Date.parse(body.runAt) - Date.parse(body.createdAt), 2000)
  const listed = await rest.call('GET', '/v1/jobs?status=scheduled')
  assert.deepEqual(
    listed.body.items.map((job: { id: string }) => job.id),
    [body.id],
  )
  await node.kill()
  node = await startNode()
  rest = RestClient.open(file, node.url)
  const done = await rest.finished(body.id)
  assert.equal(done.status, 'succeeded')
  const { body: shown } = await rest.call('GET', `/v1/jobs/${body.id}`)
  assert.ok(Date.parse(shown.startedAt) >= Date.parse(body.runAt))
})

test('a scheduled job is cancelled at once', async () => {
  const runAt = new Date(Date.now() + 3_600_000).toISOString()
  const { body } = await rest.submit({ service: 'test.echo', runAt })
  assert.equal(body.runAt, runAt)
  const cancelled = await rest.call('POST', `/v1/jobs/${body.id}/cancel`)
  assert.equal(cancelled.status, 202)
  assert.equal(cancelled.body.status, 'cancelled')
})

test('a job that outlives its timeout is stopped and says so, waiting or running', async () => {
  const steps = { only: { service: 'test.sleep', input: { ms: 60_000 } } }
  const { body } = await rest.submit({ steps, timeout: '200ms' })
  const ended = await rest.finished(body.id)
  assert.equal(ended.status, 'failed')
  assert.equal(ended.cause, 'timed_out')
  assert.equal(ended.error?.code, 'job_timed_out')
})

test('a job that could not start by its startBy fails with start_by_passed', async () => {
  const hold = await rest.submit({ service: 'line.turn', input: { hold: true, for: 'second' } })
  const startBy = new Date(Date.now() + 300).toISOString()
  const { body } = await rest.submit({ service: 'line.turn', startBy })
  const ended = await rest.finished(body.id)
  assert.equal(ended.error?.code, 'start_by_passed')
  assert.equal(ended.steps[0]?.status, 'skipped')
  await rest.call('POST', `/v1/jobs/${hold.body.id}/cancel`)
})

test('what contradicts itself is refused with what and where, and nothing is stored', async () => {
  const soon = '2030-01-01T00:00:00Z'
  const service = 'test.echo'
  const table: [object, string][] = [
    [{ delay: '1s', runAt: soon }, '/runAt'],
    [{ runAt: soon, startBy: soon }, '/startBy'],
    [{ runAt: soon, startBy: '2029-12-31T23:59:59Z' }, '/startBy'],
    [{ timeout: 0 }, '/timeout'],
    [{ timeout: '4000d' }, '/timeout'],
    [{ delay: 'soon' }, '/delay'],
    [{ delay: -1 }, '/delay'],
    [{ runAt: 'tomorrow' }, '/runAt'],
    [{ startBy: 17 }, '/startBy'],
    [{ affinity: '' }, '/affinity'],
  ]
  for (const [terms, path] of table) {
    const { status, body } = await rest.submit({ service, ...terms })
    assert.equal(status, 400, JSON.stringify(terms))
    assert.equal(body.errors[0].path, path, JSON.stringify(body))
  }
})

test('an affinity is kept and shown', async () => {
  const { body } = await rest.submit({ service: 'test.echo', affinity: 'customer-7' })
  assert.equal(body.affinity, 'customer-7')
})
