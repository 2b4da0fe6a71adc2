import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Load } from './load.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess, within } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Jobs acknowledged in each life before it ends: somewhere in the middle of everything. */
const LIVES = [70, 20, 110, 40, 90]
/** A life that acknowledges so little in a minute is stuck. */
const LIFE_TIMEOUT_MS = 60_000

test('five kill -9 under load: every acknowledged job finishes, no acknowledged write is lost', async (t) => {
  const folder = temporaryFolder(t)
  const load = new Load()
  for (const [life, jobs] of LIVES.entries()) {
    const node = await NodeProcess.start(t, ['--data', folder, ...(life === 0 ? ['--init'] : [])])
    const enough = load.acknowledgeMore(jobs)
    const clients = load.runUntilGone(node.url)
    await within(LIFE_TIMEOUT_MS, enough, () => `fewer than ${jobs} jobs: ${node.stderr}`)
    await node.kill()
    await clients
  }
  const node = await NodeProcess.start(t, ['--data', folder])
  const client = RestClient.open(t, node.url)
  await load.check(client)
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})

test('a kill -9 while a node is stopping and still answers: what was acknowledged is done in the next life', async (t) => {
  const folder = temporaryFolder(t)
  const node = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const client = RestClient.open(t, node.url)
  const ids: string[] = []
  // Some end while the node is stopping, some are still running when it dies, some have not begun.
  for (const ms of [10, 500, 60_000]) {
    const { body } = await client.submit({ service: 'test.sleep', input: { ms } })
    ids.push(body.id)
  }
  const { body: scheduled } = await client.submit({ service: 'test.echo', input: 1, delay: '10s' })
  const [short = '', medium = '', long = ''] = ids
  await within(LIFE_TIMEOUT_MS, running(client, long), () => node.stderr)
  const stopping = node.terminate()
  await within(LIFE_TIMEOUT_MS, refusesWork(client), () => node.stderr)
  await within(LIFE_TIMEOUT_MS, succeeded(client, medium), () => node.stderr)
  await node.kill()
  assert.deepEqual(await stopping, { code: null, signal: 'SIGKILL' })

  const again = await NodeProcess.start(t, ['--data', folder])
  const later = RestClient.open(t, again.url)
  for (const id of [short, medium, scheduled.id]) {
    assert.equal((await later.finished(id)).status, 'succeeded')
  }
  await within(LIFE_TIMEOUT_MS, running(later, long), () => again.stderr)
  const { body } = await later.call('GET', `/v1/jobs/${long}`)
  const outcomes = body.steps[0].attempts.map(({ outcome }: { outcome: string }) => outcome)
  assert.deepEqual(outcomes, ['lost', null], 'the attempt that died is over, and one runs')
})

/** It is shown, and ends, while the node is stopping. */
async function succeeded(client: RestClient, id: string): Promise<void> {
  for (;;) {
    const { status, body } = await client.call('GET', `/v1/jobs/${id}`)
    assert.equal(status, 200)
    if (body.status === 'succeeded') return
  }
}

async function running(client: RestClient, id: string): Promise<void> {
  for (;;) {
    const { body } = await client.call('GET', `/v1/jobs/${id}`)
    if (body.steps[0].status === 'running') return
  }
}

/** Resolves when the node says that it is stopping; a submission stores nothing then. */
async function refusesWork(client: RestClient): Promise<void> {
  for (;;) {
    const { status, body } = await client.call('GET', '/readyz')
    if (status !== 503) continue
    assert.match(body.detail, /stopping/)
    const refusal = await client.submit({ service: 'test.echo', input: 'late' })
    assert.deepEqual([refusal.status, refusal.body.code], [503, 'not_ready'])
    return
  }
}
