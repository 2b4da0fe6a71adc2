import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { NodeProcess, temporaryFolder } from './node-process.js'
import { RestClient } from './rest-client.js'

const KILLS = 5
const CLIENTS = 8
/** How long each life lasts under load, milliseconds: somewhere in the middle of everything. */
const LIVES_MS = [700, 350, 1100, 500, 900]

/** The kinds of work that are in flight when the node dies. */
const SUBMISSIONS = [
  (n: number) => ({ service: 'test.echo', input: { n } }),
  (n: number) => ({ service: 'test.sleep', input: { ms: 20 + (n % 200) } }),
  (n: number) => ({
    service: 'test.flaky',
    input: { failures: n % 3 },
    retry: { attempts: 20, delay: '10ms' },
  }),
  (n: number) => ({
    steps: {
      first: { service: 'test.echo', input: { n } },
      second: { service: 'test.sleep', input: { ms: 50 }, needs: ['first'] },
      third: { service: 'test.echo', input: { $from: '/steps/first/output' }, needs: ['second'] },
    },
    output: { $from: '/steps/third/output' },
  }),
]

interface Load {
  /** Jobs that were answered with 2xx: each must end, whatever happens. */
  readonly acknowledged: Map<string, string>
  /** Submissions whose answer never came: key → submission, to be repeated with the same key. */
  readonly unknown: Map<string, unknown>
  readonly records: Map<string, number>
  next: number
}

test('five kill -9 under load: every acknowledged job finishes, no acknowledged write is lost', async (t) => {
  const folder = await temporaryFolder(t)
  const load: Load = { acknowledged: new Map(), unknown: new Map(), records: new Map(), next: 0 }
  let init = ['--init']
  for (let life = 0; life < KILLS; life += 1) {
    const node = await NodeProcess.start(t, ['--data', folder, ...init])
    init = []
    const client = new RestClient(node.url)
    const clients = Array.from({ length: CLIENTS }, () => loadUntilGone(client, load))
    await pause(LIVES_MS[life] ?? 500)
    await node.kill()
    await Promise.all(clients)
    await client.close()
  }
  const node = await NodeProcess.start(t, ['--data', folder])
  const client = new RestClient(node.url)
  t.after(() => client.close())
  await repeatUnknown(client, load)
  t.diagnostic(`${load.acknowledged.size} jobs, ${load.records.size} records acknowledged`)
  assert(load.acknowledged.size > 100, 'the load was worth the name')
  await checkJobs(client, load)
  for (const [key, value] of load.records) {
    const { body } = await client.call('GET', `/v1/dht/${key}`)
    assert(body.value >= value, `record ${key}: ${value} was acknowledged, ${body.value} is there`)
  }
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})

/** One client: submits jobs and writes its own record until the node does not answer any more. */
async function loadUntilGone(client: RestClient, load: Load): Promise<void> {
  const recordKey = `client-${load.next}`
  for (;;) {
    const number = load.next
    load.next += 1
    const key = `key-${number}`
    const submission = SUBMISSIONS[number % SUBMISSIONS.length]?.(number)
    try {
      const { status, body } = await client.submit(submission, key)
      if (status === 202 || status === 200) load.acknowledged.set(body.id, key)
      else load.unknown.set(key, submission)
      const write = await client.call('PUT', `/v1/dht/${recordKey}`, { body: number })
      if (write.status < 300) load.records.set(recordKey, number)
    } catch {
      load.unknown.set(key, submission)
      return
    }
  }
}

/** What a client does that got no answer: the same again, with the same key. */
async function repeatUnknown(client: RestClient, load: Load): Promise<void> {
  const known = new Set(load.acknowledged.values())
  for (const [key, submission] of load.unknown) {
    const { status, body } = await client.submit(submission, key)
    assert(status === 202 || status === 200, `${key}: ${status} ${JSON.stringify(body)}`)
    if (known.has(key)) assert.equal(load.acknowledged.get(body.id), key, `${key} has two jobs`)
    load.acknowledged.set(body.id, key)
  }
}

async function checkJobs(client: RestClient, load: Load): Promise<void> {
  for (const id of load.acknowledged.keys()) {
    const job = await client.finished(id)
    assert.equal(job.status, 'succeeded', `${id}: ${JSON.stringify(job)}`)
  }
}
