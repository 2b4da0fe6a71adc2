import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { allSucceeded } from './filling-the-log.js'
import { NodeProcess, within } from './node-process.js'
import { type Answer, RestClient } from './rest-client.js'
import { WorldFaults } from './world-faults.js'

/** A real node on a disk that takes what it is given and never comes back. */

const world = new WorldFaults(ownerOfThisFile())

const LOG = '/log/segment'
const STATE = '/state/state.db'
/** The node waits ten seconds without a word. */
const TOLD_TIMEOUT_MS = 30_000
const RECOVERY_TIMEOUT_MS = 30_000

test('a sync of the log that hangs is told, work is refused and what waits is answered, then all goes on', async (t) => {
  const silent = await silence(t, 'sync', LOG)
  const { client, waiting } = silent
  await refusesWork(silent, 'log', /folder `log` of the data folder has not come back for 10 s/)
  const record = await client.call('PUT', '/v1/dht/some-key', { body: 1 })
  assert.deepEqual([record.status, record.body.code], [503, 'overloaded'])
  for (const id of silent.done) {
    const { status, body } = await client.call('GET', `/v1/jobs/${id}`)
    assert.deepEqual([status, body.status], [200, 'succeeded'], 'what is known can be read')
  }
  const { status, body } = await waiting
  assert.deepEqual([status, body.code], [504, 'outcome_unknown'])
  await goesOn(silent)
})

test('a write to the log that hangs is told, work is refused, then all goes on', async (t) => {
  const silent = await silence(t, 'write', LOG)
  await refusesWork(silent, 'log', /folder `log` of the data folder has not come back for 10 s/)
  await goesOn(silent)
  assert.equal((await silent.waiting).status, 202, 'it came late, and was done')
})

test('a write of the state that hangs is told, work is refused, then all goes on', async (t) => {
  const silent = await silence(t, 'write', STATE)
  await refusesWork(
    silent,
    'state',
    /come back from the folder `state` of the data folder for 10 s/,
  )
  await goesOn(silent)
  assert.equal((await silent.waiting).status, 202, 'it came late, and was done')
})

interface Silent {
  readonly folder: string
  readonly node: NodeProcess
  readonly client: RestClient
  /** Jobs that ended before. */
  readonly done: readonly string[]
  /** The answer to what was asked while nobody knew. */
  readonly waiting: Promise<Answer>
}

const WAITING_KEY = 'asked-while-nobody-knew'
const WAITING = { service: 'test.echo', input: 'late' }

/** Runs a node for a while, then its disk comes back no more, and the node has noticed that. */
async function silence(t: TestContext, operation: 'sync' | 'write', path: string): Promise<Silent> {
  const folder = temporaryFolder(t)
  world.set()
  const node = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'], world)
  const client = RestClient.open(t, node.url)
  const done: string[] = []
  for (let n = 0; n < 5; n += 1) {
    const { body } = await client.submit({ service: 'test.echo', input: n })
    done.push(body.id)
  }
  await allSucceeded(client, done)
  world.set({ operation, path, hangs: true })
  // The state is written some time after the log: only then does it hang.
  if (path === STATE) await within(TOLD_TIMEOUT_MS, untilUnread(client), () => node.stderr)
  const waiting = client.submit(WAITING, WAITING_KEY)
  await within(TOLD_TIMEOUT_MS, ready(client, false), () => `it is still ready: ${node.stderr}`)
  return { folder, node, client, done, waiting }
}

async function refusesWork(
  { client, node, folder }: Silent,
  part: 'log' | 'state',
  reason: RegExp,
): Promise<void> {
  const { body: problem } = await client.call('GET', '/readyz')
  assert.match(problem.detail, reason)
  const began = performance.now()
  const refusal = await client.submit({ service: 'test.echo', input: 'refused' })
  assert.ok(performance.now() - began < 5_000, 'it is refused at once')
  assert.deepEqual([refusal.status, refusal.body.code], [503, 'overloaded'])
  assert.match(refusal.body.detail, reason)
  assert.ok(Number(refusal.headers['retry-after']) > 0)
  const alarm = node.stderr.split('\n').find((line) => line.includes(`"${part}_stalled"`)) ?? '{}'
  const { level, msg, dataFolder } = JSON.parse(alarm)
  assert.deepEqual([level, dataFolder], [50, folder])
  assert.match(msg, /New work is refused until it comes back/)
  assert.ok((await stalledSeconds(client, part)) >= 10)
}

/** The disk is back: the node takes work, the job that waited is there once, and nothing is lost. */
async function goesOn({ client, node, done }: Silent): Promise<void> {
  world.set()
  await within(RECOVERY_TIMEOUT_MS, ready(client, true), () => `refused for ever: ${node.stderr}`)
  assert.match(node.stderr, /it has come back: the node takes new work again/)
  assert.deepEqual(
    [await stalledSeconds(client, 'log'), await stalledSeconds(client, 'state')],
    [0, 0],
  )
  const repeated = await client.submit(WAITING, WAITING_KEY)
  assert.ok(repeated.status === 200 || repeated.status === 202, `${repeated.status}`)
  await allSucceeded(client, [...done, repeated.body.id])
  const { body } = await client.call('GET', '/v1/jobs?limit=100')
  assert.equal(body.items.length, done.length + 1, 'what was refused was not stored')
}

async function ready(client: RestClient, isReady: boolean): Promise<void> {
  for (;;) {
    const { status } = await client.call('GET', '/readyz')
    if ((status === 200) === isReady) return
    await pause(100)
  }
}

/** Writes until the ledger thread, which has rows to write out then, answers no more. */
async function untilUnread(client: RestClient): Promise<void> {
  for (let n = 0; ; n += 1) {
    const answer = client.call('PUT', '/v1/dht/some-key', { body: n })
    if (!(await Promise.race([answer.then(() => true), pause(1_500).then(() => false)]))) return
    await pause(50)
  }
}

async function stalledSeconds(client: RestClient, part: 'log' | 'state'): Promise<number> {
  const { body } = await client.call('GET', '/metrics')
  return Number(new RegExp(`^gyre_${part}_stalled_seconds ([\\d.]+)$`, 'm').exec(body)?.[1])
}
