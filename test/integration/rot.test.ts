import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { allSucceeded, BIG, submitUntilRefused } from './filling-the-log.js'
import { GYRE, NodeProcess, within } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'
import { EIO, WorldFaults } from './world-faults.js'

/** Bytes that rot in the files of a node that runs, in places that nobody asks for. */

const world = new WorldFaults(ownerOfThisFile())

/** So many that no four arcs leave all of them in one. */
const JOBS = 12
/** The scrub begins some seconds after the start; the state of this test takes it no time. */
const FOUND_WITHIN_MS = 60_000

test('a row that rots under a running node is found though nobody reads it: its arc stands still, alone, until the next start rebuilds it', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const jobs = await finishJobs(new RestClient(first.url))
  assert.equal((await first.terminate()).code, 0)

  const second = await NodeProcess.start(t, ['--data', folder])
  const [rotten, ...sound] = byArc(jobs)
  assert.ok(rotten !== undefined && sound.length > 0, 'all jobs are in one arc')
  await flipAll(join(folder, 'state', 'state.db'), needleOf(rotten[0]))
  const told = RestClient.open(t, second.url)
  const found = counted(told, 'gyre_arcs_stopped', 1)
  await within(FOUND_WITHIN_MS, found, () => `the rot was not found: ${second.stderr}`)
  assert.match(
    second.stderr,
    /"code":"arc_damaged".*does not match its checksum.*start this node again/,
  )
  await standsStill(told, rotten, sound.flat())

  await second.kill()
  const third = await NodeProcess.start(t, ['--data', folder])
  const client = RestClient.open(t, third.url)
  for (const job of jobs) {
    assert.deepEqual((await client.call('GET', `/v1/jobs/${job.id}`)).body, job)
  }
  assert.equal(await metric(client, 'gyre_arcs_stopped'), 0)
  await within(FOUND_WITHIN_MS, scrubbedOnce(client), () => 'no pass over the rebuilt state ended')
})

test('what is done while its arc stands still is known after the rebuild, and not done again', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const [rotten] = await finishJobs(new RestClient(first.url))
  assert.ok(rotten !== undefined)
  assert.equal((await first.terminate()).code, 0)

  const second = await NodeProcess.start(t, ['--data', folder])
  const client = new RestClient(second.url)
  const sleep = { service: 'test.sleep', input: { ms: 3000 }, retry: { attempts: 1 } }
  const ids: string[] = []
  while (!ids.some((id) => arcOf(id) === arcOf(rotten.id))) {
    ids.push((await client.submit(sleep)).body.id)
  }
  await flipAll(join(folder, 'state', 'state.db'), needleOf(rotten))
  assert.equal((await client.call('GET', `/v1/jobs/${rotten.id}`)).status, 503)
  await client.close()
  // It lets attempts finish, and puts their ends into the log.
  assert.equal((await second.terminate()).code, 0)

  const third = await NodeProcess.start(t, ['--data', folder])
  const again = RestClient.open(t, third.url)
  for (const id of ids) {
    const job = await again.finished(id)
    assert.deepEqual([job.status, job.steps[0]?.attemptCount], ['succeeded', 1])
  }
})

/** Jobs of one arc are refused, and say so wherever they are asked for; those of the others are not. */
async function standsStill(
  rest: RestClient,
  rotten: readonly Job[],
  sound: readonly Job[],
): Promise<void> {
  for (const { id } of rotten) {
    const { status, body, headers } = await rest.call('GET', `/v1/jobs/${id}`)
    assert.deepEqual([status, body.code], [503, 'arc_unavailable'])
    assert.match(body.detail, /start this node again/)
    assert.ok(Number(headers['retry-after']) > 0)
    assert.equal((await rest.call('GET', `/v1/ids/${id}`)).body.code, 'arc_unavailable')
    const { body: explained } = await rest.call('GET', `/v1/jobs/${id}/explain`)
    assert.equal(explained.reasons[0].code, 'owner_unavailable')
  }
  for (const job of sound) {
    assert.deepEqual((await rest.call('GET', `/v1/jobs/${job.id}`)).body, job)
  }
  assert.equal((await rest.call('GET', '/readyz')).status, 200)
  const { body: ring } = await rest.call('GET', '/v1/ring')
  assert.deepEqual([ring.health.healthy, ring.health.unavailable], [3, 1])
  const roles = ring.arcs.map((arc: RingArc) => arc.replicas[0]?.role)
  assert.deepEqual(roles.toSorted(), ['leader', 'leader', 'leader', 'stopped'])
}

interface RingArc {
  readonly replicas: readonly { readonly role: string }[]
}

/** Of four: the first two bits of an ID tell. */
function arcOf(id: string): number {
  return Number.parseInt(id.slice(0, 1), 16) >> 2
}

function byArc(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const arcs = new Map<number, Job[]>()
  for (const job of jobs) {
    const arc = arcOf(job.id)
    arcs.set(arc, [...(arcs.get(arc) ?? []), job])
  }
  return [...arcs.values()]
}

function needleOf(job: Job | undefined): string {
  return /needle \d+ in the state/.exec(JSON.stringify(job?.output))?.[0] ?? ''
}

test('a log segment that rots under a running node is given up, and nothing is lost by it', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const client = new RestClient(first.url)
  const { ids } = await submitUntilRefused(client, JOBS_OF_TWO_SEGMENTS)
  await allSucceeded(client, ids)
  await client.close()
  assert.equal((await first.terminate()).code, 0)

  const second = await NodeProcess.start(t, ['--data', folder])
  await flipOne(join(folder, 'log', SEGMENT), BIG.slice(0, 100))
  const told = RestClient.open(t, second.url)
  await within(
    LOG_FOUND_WITHIN_MS,
    counted(told, 'gyre_log_segments_given_up_total', 1),
    () => `the rot was not found: ${second.stderr}`,
  )
  assert.match(second.stderr, /"code":"log_segment_damaged".*segment-0000000001.*Check the disk/)
  assert.match(second.stderr, /segment-0000000001 was given up: .*nothing is lost/)
  const files = await readdir(join(folder, 'log'))
  assert.equal(files.includes(SEGMENT), false)
  assert.equal(files.includes(`${SEGMENT}.damaged`), true)
  await second.kill()

  const third = await NodeProcess.start(t, ['--data', folder])
  const again = RestClient.open(t, third.url)
  await allSucceeded(again, ids)
  await within(
    LOG_FOUND_WITHIN_MS,
    counted(again, 'gyre_log_scrub_passes_total', 1),
    () => 'no pass over the log ended',
  )
  assert.equal(await metric(again, 'gyre_log_damaged_segments'), 0)
  assert.equal((await third.terminate()).code, 0)
  const verdict = await promisify(execFile)(process.execPath, [GYRE, 'verify', folder])
  assert.match(verdict.stdout, /segment-0000000001\.damaged/)
})

test('a log segment that the disk refuses to read any more under a running node is given up', async (t) => {
  const folder = temporaryFolder(t)
  world.set()
  const first = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'], world)
  const client = new RestClient(first.url)
  const { ids } = await submitUntilRefused(client, JOBS_OF_TWO_SEGMENTS)
  await allSucceeded(client, ids)
  await client.close()
  assert.equal((await first.terminate()).code, 0)

  const second = await NodeProcess.start(t, ['--data', folder], world)
  world.set({ operation: 'read', path: `/log/${SEGMENT}`, error: EIO })
  const told = RestClient.open(t, second.url)
  await within(
    LOG_FOUND_WITHIN_MS,
    counted(told, 'gyre_log_segments_given_up_total', 1),
    () => `it was not noticed: ${second.stderr}`,
  )
  assert.match(second.stderr, /"code":"log_segment_damaged".*segment-0000000001.*\(EIO\).*Check/)
  assert.match(second.stderr, /segment-0000000001 was given up: .*nothing is lost/)
  await allSucceeded(told, ids)
  await second.kill()
  const third = await NodeProcess.start(t, ['--data', folder], world)
  await allSucceeded(RestClient.open(t, third.url), ids)
})

test('a log segment that has rotted while the node was down is given up by its start, and nothing is lost by it', async (t) => {
  const folder = temporaryFolder(t)
  const ids = await twoSegmentsIn(t, folder)
  await flipOne(join(folder, 'log', SEGMENT), BIG.slice(0, 100))
  const { stdout } = await promisify(execFile)(process.execPath, [GYRE, 'verify', folder])
  assert.match(
    stdout,
    /note log \(log_segment_damaged\): .*segment-0000000001.*next start gives up/,
  )
  assert.match(stdout, /Nothing is lost: what is damaged in the log the state holds/)

  const second = await NodeProcess.start(t, ['--data', folder])
  assert.match(second.stderr, /"code":"log_segment_damaged".*segment-0000000001.*Check the disk/)
  assert.match(second.stderr, /segment-0000000001 was given up: .*nothing is lost/)
  const told = RestClient.open(t, second.url)
  assert.equal(await metric(told, 'gyre_log_segments_given_up_total'), 1)
  assert.equal(await metric(told, 'gyre_log_damaged_segments'), 0)
  await allSucceeded(told, ids)
  const files = await readdir(join(folder, 'log'))
  assert.equal(files.includes(SEGMENT), false)
  assert.equal(files.includes(`${SEGMENT}.damaged`), true)
  await second.kill()

  const third = await NodeProcess.start(t, ['--data', folder])
  assert.doesNotMatch(third.stderr, /log_segment_damaged/)
  await allSucceeded(RestClient.open(t, third.url), ids)
})

test('a start refuses a rotten log segment that the state does not cover, changes nothing of it, and goes on when the state is back', async (t) => {
  const folder = temporaryFolder(t)
  const ids = await twoSegmentsIn(t, folder)
  await flipOne(join(folder, 'log', SEGMENT), BIG.slice(0, 100))
  const elsewhere = join(temporaryFolder(t), 'state')
  await rename(join(folder, 'state'), elsewhere)
  const before = await contentOf(join(folder, 'log'))

  const why =
    /segment-0000000001, offset \d+: .*the state cannot stand in for it: it holds .* up to entry 0/
  for (let life = 0; life < 2; life += 1)
    await assert.rejects(NodeProcess.start(t, ['--data', folder]), why)
  const verified = promisify(execFile)(process.execPath, [GYRE, 'verify', folder])
  await assert.rejects(verified, ({ code, stdout }) => {
    assert.equal(code, 1)
    assert.match(stdout, /DAMAGED log \(log_damaged\): .*the state cannot stand in for it/)
    return true
  })
  assert.deepEqual(await contentOf(join(folder, 'log')), before)

  await rm(join(folder, 'state'), { recursive: true })
  await rename(elsewhere, join(folder, 'state'))
  const second = await NodeProcess.start(t, ['--data', folder])
  await allSucceeded(RestClient.open(t, second.url), ids)
})

test('where log and state are damaged both, a start says so and sets nothing aside', async (t) => {
  const folder = temporaryFolder(t)
  await twoSegmentsIn(t, folder)
  await flipOne(join(folder, 'log', SEGMENT), BIG.slice(0, 100))
  await writeFile(join(folder, 'state', 'state.db'), 'this was a database')
  const before = await contentOf(join(folder, 'log'))
  await assert.rejects(
    NodeProcess.start(t, ['--data', folder]),
    /the state store cannot be used .* and the log is damaged.*nothing was changed/,
  )
  assert.deepEqual(await contentOf(join(folder, 'log')), before)
  const state = await readFile(join(folder, 'state', 'state.db'), 'utf8')
  assert.equal(state, 'this was a database')
})

/** A node that has run jobs enough for two segments of its log, and was stopped. @returns their IDs */
async function twoSegmentsIn(t: TestContext, folder: string): Promise<readonly string[]> {
  const node = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const client = new RestClient(node.url)
  const { ids } = await submitUntilRefused(client, JOBS_OF_TWO_SEGMENTS)
  await allSucceeded(client, ids)
  await client.close()
  assert.equal((await node.terminate()).code, 0)
  return ids
}

/** Name → hash of each file. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const name of (await readdir(folder)).sort())
    found.set(name, hash('sha256', await readFile(join(folder, name))))
  return found
}

/** A pass may have gone by the place just before it was spoilt; the next one begins minutes later. */
const LOG_FOUND_WITHIN_MS = 400_000
const SEGMENT = 'segment-0000000001'
/** Each writes its input and its output: twenty fill a segment. */
const JOBS_OF_TWO_SEGMENTS = 50

/** Resolves when a metric has come so far. */
async function counted(client: RestClient, name: string, least: number): Promise<void> {
  while ((await metric(client, name)) < least) await pause(200)
}

async function metric(client: RestClient, name: string): Promise<number> {
  const { body } = await client.call('GET', '/metrics')
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)?.[1])
}

/** Spoils one bit in the middle of a file, in the first place after that where the text stands. */
async function flipOne(path: string, needle: string): Promise<void> {
  const content = await readFile(path)
  const at = content.indexOf(needle, content.length / 2)
  assert.ok(at > 0, `${path} does not hold what the jobs were given`)
  const file = await open(path, 'r+')
  await file.write(Buffer.from([content.readUInt8(at) ^ 1]), 0, 1, at)
  await file.close()
}

/** Resolves when the metrics count a whole pass, with rows in it. */
async function scrubbedOnce(client: RestClient): Promise<void> {
  for (;;) {
    const { body } = await client.call('GET', '/metrics')
    const passes = Number(/^gyre_state_scrub_passes_total (\d+)$/m.exec(body)?.[1])
    const rows = Number(/^gyre_state_scrubbed_rows_total (\d+)$/m.exec(body)?.[1])
    if (passes >= 1 && rows > 20) return
    await pause(200)
  }
}

/** Jobs so large that a row of one fills pages of its own, which no other row has read. */
async function finishJobs(client: RestClient): Promise<Job[]> {
  const jobs: Job[] = []
  for (let number = 0; number < JOBS; number += 1) {
    const needle = `needle ${100 + number} in the state`
    const input = `${'x'.repeat(50_000)}${needle}${'x'.repeat(50_000)}`
    const { body } = await client.submit({ service: 'test.echo', input })
    jobs.push(await client.finished(body.id))
  }
  await client.close()
  return jobs
}

/** Spoils one bit of every copy of the text in a file; old copies of a row may be dead. */
async function flipAll(path: string, needle: string): Promise<void> {
  const content = await readFile(path)
  const file = await open(path, 'r+')
  let count = 0
  for (let at = content.indexOf(needle); at >= 0; at = content.indexOf(needle, at + 1)) {
    const spoilt = Buffer.from([content.readUInt8(at) ^ 1])
    await file.write(spoilt, 0, 1, at)
    count += 1
  }
  await file.close()
  assert.ok(count > 0, `${path} does not hold what the jobs were given`)
}
