import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { allSucceeded, submitUntilRefused } from './filling-the-log.js'
import { ownerOfThisFile } from './file-owner.js'
import { Load } from './load.js'
import { type Exit, NodeProcess, within } from './node-process.js'
import { RestClient } from './rest-client.js'
import { EIO, ENOSPC, type Fault, WorldFaults } from './world-faults.js'

/** A real node on a disk that fails, fills up, crawls, tears and rots. */

const world = new WorldFaults(ownerOfThisFile())

const LOG = '/log/segment'
const SPARE = '/log/spare'
const STATE = '/state/state.db'
/** Jobs acknowledged before the disk does what it does: in the middle of everything. */
const JOBS = 60
const LOAD_TIMEOUT_MS = 60_000
/** A failing disk must be met at the next write: the log's at once, the state's within some seconds. */
const DEATH_TIMEOUT_MS = 30_000
/** A node looks for room every five seconds. */
const RECOVERY_TIMEOUT_MS = 30_000
/** Jobs of 250 KiB that are more than two segments of the log. */
const FILLING_JOBS_MAX = 200

test('a sync of the log that fails ends the node at once, and nothing acknowledged is lost', async (t) => {
  const exit = await dieUnderLoad(t, { operation: 'sync', path: LOG, error: EIO })
  assert.deepEqual(exit.exit, { code: 1, signal: null })
  assert.match(exit.stderr, /the log cannot be written \(EIO\).*check the disk/)
})

test('a write to the log that fails ends the node at once, and nothing acknowledged is lost', async (t) => {
  const { exit, stderr } = await dieUnderLoad(t, { operation: 'write', path: LOG, error: EIO })
  assert.deepEqual(exit, { code: 1, signal: null })
  assert.match(stderr, /the log cannot be written \(EIO\).*check the disk/)
})

test('a write to the state store that fails ends the node, and nothing acknowledged is lost', async (t) => {
  const { exit, stderr } = await dieUnderLoad(t, { operation: 'write', path: STATE, error: EIO })
  assert.deepEqual(exit, { code: 1, signal: null })
  assert.match(stderr, /state\.db.*SQLITE_IOERR_WRITE.*Check the disk/)
})

test('a write that the power cut tears was promised to nobody: the node starts, all else is there', async (t) => {
  const { exit } = await dieUnderLoad(t, { operation: 'write', path: LOG, once: 'tear' })
  assert.deepEqual(exit, { code: null, signal: 'SIGKILL' })
})

/** Runs a node under load until the fault ends it, then starts it again and checks everything. */
async function dieUnderLoad(t: TestContext, fault: Fault): Promise<{ exit: Exit; stderr: string }> {
  const folder = temporaryFolder(t)
  world.set()
  const node = await start(t, ['--data', folder, '--init'])
  const load = new Load()
  const enough = load.acknowledgeMore(JOBS)
  const clients = load.runUntilGone(node.url)
  await within(LOAD_TIMEOUT_MS, enough, () => `fewer than ${JOBS} jobs: ${node.stderr}`)
  world.set(fault)
  const exit = await within(DEATH_TIMEOUT_MS, node.exited, () => `it lives on: ${node.stderr}`)
  await clients
  world.set()
  const again = await start(t, ['--data', folder])
  await load.check(RestClient.open(t, again.url))
  return { exit, stderr: node.stderr }
}

test('a bit that flips on its way into the log is told at the next start, and nothing is changed', async (t) => {
  const folder = temporaryFolder(t)
  world.set()
  const node = await start(t, ['--data', folder, '--init'])
  const client = new RestClient(node.url)
  for (let n = 0; n < 5; n += 1) await client.submit({ service: 'test.echo', input: n })
  world.set({ operation: 'write', path: LOG, once: 'flip' })
  const { status } = await client.submit({ service: 'test.echo', input: 'x'.repeat(2000) })
  assert.equal(status, 202, 'nobody can know of it yet')
  await client.close()
  await node.kill()
  for (let start = 0; start < 2; start += 1) {
    const again = NodeProcess.spawn(t, ['--data', folder], world)
    assert.equal((await again.ended()).code, 1)
    assert.match(again.stderr, /log segment .*a checksum does not hold/)
  }
})

test('a log that the disk refuses to read is told at the start, and is there when it reads again', async (t) => {
  const { folder, ids } = await someJobs(t)
  world.set({ operation: 'read', path: LOG, error: EIO })
  const { code, stderr } = await refused(t, folder)
  assert.equal(code, 1)
  assert.match(stderr, /the log cannot be read \(EIO\).*nothing was changed\. Check the disk/)
  world.set()
  await allSucceeded(RestClient.open(t, (await start(t, ['--data', folder])).url), ids)
})

test('a state that the disk refuses to read is told at the start, and is there when it reads again', async (t) => {
  const { folder, ids } = await someJobs(t)
  world.set({ operation: 'read', path: STATE, error: EIO })
  const { code, stderr } = await refused(t, folder)
  assert.equal(code, 1)
  assert.match(
    stderr,
    /state\.db.*SQLITE_IOERR.*refuses to read it; nothing was changed\. Check the disk/,
  )
  assert.doesNotMatch(stderr, /set aside/)
  world.set()
  await allSucceeded(RestClient.open(t, (await start(t, ['--data', folder])).url), ids)
})

/** The folder of a node that has done some jobs and was stopped. */
async function someJobs(t: TestContext): Promise<{ folder: string; ids: readonly string[] }> {
  const folder = temporaryFolder(t)
  world.set()
  const node = await start(t, ['--data', folder, '--init'])
  const client = new RestClient(node.url)
  const ids: string[] = []
  for (let n = 0; n < 5; n += 1) {
    const { body } = await client.submit({ service: 'test.echo', input: n })
    ids.push(body.id)
  }
  await allSucceeded(client, ids)
  await client.close()
  await node.terminate()
  return { folder, ids }
}

async function refused(
  t: TestContext,
  folder: string,
): Promise<{ code: number | null; stderr: string }> {
  const node = NodeProcess.spawn(t, ['--data', folder], world)
  const { code } = await node.ended()
  return { code, stderr: node.stderr }
}

test('without room for a spare segment new work is refused, what was taken is done, and it goes on by itself', async (t) => {
  await fillUp(t, { operation: 'write', path: SPARE, error: ENOSPC })
})

test('without room for the state new work is refused, what was taken is done, and it goes on by itself', async (t) => {
  await fillUp(t, { operation: 'write', path: STATE, error: ENOSPC })
})

async function fillUp(t: TestContext, fault: Fault): Promise<void> {
  world.set()
  const node = await start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  world.set(fault)
  const { ids, refusal } = await submitUntilRefused(client, FILLING_JOBS_MAX)
  assert.deepEqual([refusal?.status, refusal?.body.code], [503, 'overloaded'])
  assert.match(refusal?.body.detail, /disk/)
  assert.ok(Number(refusal?.headers['retry-after']) > 0)
  await allSucceeded(client, ids)
  world.set()
  await within(RECOVERY_TIMEOUT_MS, taken(client), () => `refused for ever: ${node.stderr}`)
}

/** Resolves when a job is taken and done. */
async function taken(client: RestClient): Promise<void> {
  for (;;) {
    const { status, body } = await client.submit({ service: 'test.echo', input: 1 })
    if (status === 202) return allSucceeded(client, [body.id])
    await pause(100)
  }
}

test('on a disk whose syncs take a second answers are late, and each is kept over a kill -9', async (t) => {
  const folder = temporaryFolder(t)
  world.set()
  const node = await start(t, ['--data', folder, '--init'])
  const client = new RestClient(node.url)
  world.set({ operation: 'sync', path: LOG, delayMs: 1000 })
  const began = performance.now()
  const first = await client.submit({ service: 'test.echo', input: 'late' })
  assert.equal(first.status, 202)
  assert.ok(performance.now() - began >= 1000, 'it was not answered before its sync')
  const rest = Array.from({ length: 200 }, (_, n) =>
    client.submit({ service: 'test.echo', input: n }),
  )
  const answers = await Promise.all(rest)
  // One sync takes all that came during the one before it.
  assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`)
  for (const { status } of answers) assert.equal(status, 202)
  assert.equal((await client.call('GET', '/readyz')).status, 200)
  await client.close()
  await node.kill()
  world.set()
  const again = await start(t, ['--data', folder])
  const later = RestClient.open(t, again.url)
  await allSucceeded(
    later,
    [first, ...answers].map(({ body }) => body.id),
  )
})

function start(t: TestContext, args: readonly string[]): Promise<NodeProcess> {
  return NodeProcess.start(t, args, world)
}
