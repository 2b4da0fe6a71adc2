import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'
import { WorldFaults } from './world-faults.js'

/** A real node whose wall clock jumps by an hour, while it runs and while it is down. */

const world = new WorldFaults(ownerOfThisFile())

const HOUR_MS = 3_600_000
/** The clock of an arc may run a tenth faster than real time; timers never fire before that. */
const FASTEST = 1.1
/** Later than this a timer has been moved by the jump, and not by a busy machine. */
const LATE_MS = 20_000

/** Jobs that end four seconds after they were submitted: a delay, a timeout, a retry. */
const TIMED = [
  { service: 'test.echo', delay: '4s' },
  {
    steps: {
      main: {
        service: 'test.sleep',
        input: { ms: 60_000 },
        timeout: '4s',
        retry: { attempts: 1 },
      },
    },
  },
  { service: 'test.flaky', input: { failures: 1 }, retry: { delay: '4s', jitter: false } },
]

test('a wall clock that jumps an hour ahead moves no delay, no timeout, no retry and no lease', async (t) => {
  await jumpWhileWaiting(t, HOUR_MS)
})

test('a wall clock that jumps an hour back moves no delay, no timeout, no retry and no lease', async (t) => {
  await jumpWhileWaiting(t, -HOUR_MS)
})

async function jumpWhileWaiting(t: TestContext, shiftMs: number): Promise<void> {
  const { client } = await start(t, ['--data', temporaryFolder(t), '--init'])
  const began = performance.now()
  const runs = await taken(client, { service: 'test.sleep', input: { ms: 8000 } })
  const halfAnHourOn = new Date(Date.now() + HOUR_MS / 2).toISOString()
  const later = await taken(client, { service: 'test.echo', runAt: halfAnHourOn })
  const timers = await Promise.all(TIMED.map((submission) => taken(client, submission)))
  world.set({ clockShiftMs: shiftMs })
  const ends = timers.map(async (id) => {
    const job = await client.finished(id)
    return { job, afterMs: performance.now() - began }
  })
  const ended = await Promise.all(ends)
  for (const { job, afterMs } of ended) {
    const inTime = afterMs >= 4000 / FASTEST && afterMs < LATE_MS
    assert.ok(inTime, `${afterMs} ms: ${JSON.stringify(job)}`)
  }
  assert.deepEqual(
    ended.map(({ job }) => job.steps[0]?.attempts.at(-1)?.outcome),
    ['succeeded', 'timed_out', 'succeeded'],
  )
  // It outlives the lease of six seconds, which its node renews by the monotonic clock.
  const long = await client.finished(runs)
  assert.deepEqual([long.status, long.steps[0]?.attemptCount], ['succeeded', 1])
  assert.equal((await read(client, later)).status, 'scheduled')
  const newest = await read(client, await taken(client, { service: 'test.echo' }))
  assert.ok(newest.createdAt >= (await read(client, later)).createdAt, 'time never goes back')
}

test('a node that comes back with its clock an hour behind goes on from the time that it knew', async (t) => {
  const folder = temporaryFolder(t)
  // Each arc goes on from the time that it knew; only of one arc all jobs stand in one order.
  const first = await start(t, ['--data', folder, '--init', '--arcs', '1'])
  const before = await read(first.client, await taken(first.client, { service: 'test.echo' }))
  const delayed = await taken(first.client, { service: 'test.echo', delay: '3s' })
  await first.node.kill()
  world.set({ clockShiftMs: -HOUR_MS })
  const { client } = await start(t, ['--data', folder], { keepsClock: true })
  const began = performance.now()
  assert.equal((await client.finished(delayed)).status, 'succeeded')
  assert.ok(performance.now() - began < LATE_MS, 'its delay did not grow by an hour')
  const after = await read(client, await taken(client, { service: 'test.echo' }))
  assert.ok(after.createdAt >= before.createdAt, `${after.createdAt} after ${before.createdAt}`)
})

test('a node that comes back after an hour makes up for it: what became due meanwhile runs at once', async (t) => {
  const folder = temporaryFolder(t)
  const first = await start(t, ['--data', folder, '--init'])
  const delayed = await taken(first.client, { service: 'test.echo', delay: '59m' })
  const later = await taken(first.client, { service: 'test.echo', delay: '2h' })
  await first.node.kill()
  world.set({ clockShiftMs: HOUR_MS })
  const { client } = await start(t, ['--data', folder], { keepsClock: true })
  assert.equal((await client.finished(delayed)).status, 'succeeded')
  assert.equal((await read(client, later)).status, 'scheduled')
})

async function start(
  t: TestContext,
  args: readonly string[],
  { keepsClock = false } = {},
): Promise<{ node: NodeProcess; client: RestClient }> {
  if (!keepsClock) world.set()
  const node = await NodeProcess.start(t, args, world)
  return { node, client: RestClient.open(t, node.url) }
}

async function taken(client: RestClient, submission: object): Promise<string> {
  const { status, body } = await client.submit(submission)
  assert.equal(status, 202, JSON.stringify(body))
  return body.id
}

async function read(client: RestClient, id: string): Promise<Job & { createdAt: string }> {
  return (await client.call('GET', `/v1/jobs/${id}`)).body
}
