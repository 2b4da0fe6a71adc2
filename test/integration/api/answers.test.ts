import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { startNode } from '@gyre/core/internal/cli/node/start-node.js'
import { ownerOfThisFile } from '../file-owner.js'
import { type Answer, type CallOptions, RestClient } from '../rest-client.js'
import { ClosedDocument } from './closed-document.js'

const file = ownerOfThisFile()
let rest: RestClient
let document: ClosedDocument
/** `GET /v1/jobs 200` and the like: every success that the document lists. */
let successes: readonly string[]

const PLUGIN = `
export const talk = {
  name: 'own.talk', version: '2', description: 'says much', timeout: '1m', concurrency: 4, memoize: '1h',
  retry: { attempts: 2 }, input: { type: 'object' }, output: {},
  run(input, ctx) { ctx.log.info('hello', { to: input }); ctx.progress({ done: 1, total: 2, note: 'half' }); return input },
}
export const undone = {
  name: 'own.undone', retry: { attempts: 1 },
  run(input) { return input },
  compensate() {},
}
export const rare = { name: 'own.rare', requires: { cpu: 0.1, units: { gpu: 9 } }, run() {} }
export const alone = { name: 'own.alone', isolation: 'thread', run() {} }
export const placed = { name: 'own.placed', labels: { disk: 'ssd' }, run() {} }
`
const BROKEN = `export const bad = { name: 'own bad', run() {} }`

before(async () => {
  const workers = temporaryFolder(file)
  await writeFile(join(workers, 'own.mjs'), PLUGIN)
  await writeFile(join(workers, 'broken.mjs'), BROKEN)
  const node = await startNode({
    dataFolder: temporaryFolder(file),
    mode: 'init',
    name: 'answers',
    arcCount: 4,
    api: { host: '127.0.0.1', port: 0 },
    workers: [workers],
    jobs: [],
    builtIns: true,
    logLevel: 'silent',
  })
  atEnd(file, () => node.stop())
  rest = RestClient.open(file, node.url)
  const { body } = await rest.call('GET', '/openapi.json')
  document = new ClosedDocument(body)
  successes = successesOf(body)
})

function successesOf({ paths }: ReturnType<typeof JSON.parse>): string[] {
  return Object.entries<object>(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.keys(responses)
        .filter((status) => status !== 'default')
        .map((status) => `${method.toUpperCase()} ${path} ${status}`),
    ),
  )
}

type Method = Parameters<RestClient['call']>[0]

/** Makes a call, and has the document judge its answer. */
async function call(method: Method, url: string, options: CallOptions = {}): Promise<Answer> {
  const answer = await rest.call(method, url, options)
  const fault = document.judge(method, url, answer)
  const said = JSON.stringify(answer.body).slice(0, 2_000)
  assert.equal(fault, null, `${method} ${url} ${answer.status}: ${said}`)
  return answer
}

/** Looks at all of a job. */
async function look(id: string): Promise<Answer['body']> {
  const { body } = await call('GET', `/v1/jobs/${id}`)
  for (const part of ['history', 'logs', 'explain']) await call('GET', `/v1/jobs/${id}/${part}`)
  await call('GET', `/v1/ids/${id}`)
  for (const { name, task } of body.steps) {
    const { body: items } = await call('GET', `/v1/jobs/${id}/steps/${name}/items`)
    for (const each of [task, ...items.items.map((item: { task: string }) => item.task)]) {
      await call('GET', `/v1/ids/${each}`)
    }
  }
  return body
}

async function submit(submission: object, headers?: Record<string, string>): Promise<string> {
  const options = { body: submission, ...(headers === undefined ? {} : { headers }) }
  const { status, body } = await call('POST', '/v1/jobs', options)
  assert.ok(status < 300, JSON.stringify(body))
  return body.id
}

async function run(submission: object): Promise<Answer['body']> {
  const id = await submit(submission, { prefer: 'wait=30' })
  return look(id)
}

const ONCE = { attempts: 1 }
const FAILING = { service: 'test.fail', retry: ONCE }
const TALK = { service: 'own.talk', input: { n: 1 } }
const STUCK = {
  labels: { of: 'stuck' },
  steps: {
    first: { service: 'own.undone' },
    stuck: { service: 'own.undone', needs: ['first'], compensate: FAILING },
    last: { ...FAILING, needs: ['stuck'] },
  },
}
const ITEMS = {
  steps: {
    each: { service: 'own.undone', forEach: { range: 3 }, concurrency: 1 },
    bad: { ...FAILING, forEach: [1], onItemError: 'continue' },
    last: { ...FAILING, needs: ['each', 'bad'] },
    tell: { service: 'own.talk', onFailure: true, input: {} },
    never: { service: 'test.echo', when: { $from: '/input/x', equals: 1 } },
  },
}

test('every member of a job is named in the document, whatever has become of the job', async () => {
  assert.equal((await run(TALK)).status, 'succeeded')
  const again = await run(TALK)
  assert.ok(again.steps[0].attempts[0].memoizedFrom, 'shared from the job before')
  assert.equal((await run(ITEMS)).status, 'compensated')
  assert.equal((await run(FAILING)).status, 'failed')
  const slow = { service: 'test.sleep', input: { ms: 60_000 } }
  assert.equal((await run({ ...slow, timeout: 200 })).cause, 'timed_out')
  const terms = { labels: { a: 'b' }, priority: 9, affinity: 'x', timeout: '2h' }
  const delayed = await submit({ ...slow, ...terms, delay: '1h', startBy: '2100-01-01T00:00:00Z' })
  assert.equal((await look(delayed)).status, 'scheduled')
  const refused = await submit({ service: 'own.rare' })
  assert.equal((await look(refused)).status, 'queued')
  const running = await submit(slow)
  await look(running)
  await call('GET', `/v1/jobs/${running}/steps/main`)
  await call('GET', `/v1/jobs/${running}/steps/none`)
  await call('POST', `/v1/jobs/${running}/cancel`)
  await look(running)
  await call('POST', `/v1/jobs/${running}/cancel`, { body: { compensate: true } })
  await call('POST', `/v1/jobs/${delayed}/cancel`, { body: {} })
})

test('every answer of an operator is named in the document', async () => {
  const { id } = await run(STUCK)
  await call('POST', `/v1/jobs/${id}/skip`, { body: { step: 'first', reason: 'early' } })
  await call('POST', `/v1/jobs/${id}/retry`)
  assert.equal((await rest.finished(id)).status, 'compensation_failed')
  await call('POST', `/v1/jobs/${id}/skip`, { body: { step: 'stuck', reason: 'by hand' } })
  assert.equal((await rest.finished(id)).status, 'compensated')
  await look(id)
  const { id: other } = await run(STUCK)
  await call('POST', `/v1/jobs/${other}/fail`, { body: { reason: 'settled' } })
  assert.equal((await look(other)).status, 'failed')
  const { id: failed } = await run({
    steps: { a: TALK, b: { ...FAILING, needs: ['a'] } },
  })
  const { body: from } = await call('POST', `/v1/jobs/${failed}/resubmit`, { body: { from: 'b' } })

  await rest.finished(from.id)
  assert.equal((await look(from.id)).steps[0].takenFrom, failed)
  const filter = { 'label.of': 'stuck' }
  await call('POST', '/v1/jobs/actions', { body: { action: 'delete', filter, dryRun: true } })
  const { body: bulk } = await call('POST', '/v1/jobs/actions', {
    body: { action: 'delete', filter },
  })
  await rest.finished(bulk.id)
  await look(bulk.id)
  await call('DELETE', `/v1/jobs/${failed}`)
  await call('GET', `/v1/jobs/${failed}`)
})

test('every answer about jobs as a whole is named in the document', async () => {
  const gone = { ...TALK, retention: 0 }
  const keyed = { headers: { 'idempotency-key': 'gone', prefer: 'wait=30' } }
  const { body: first } = await call('POST', '/v1/jobs', { body: gone, ...keyed })
  while ((await call('GET', `/v1/jobs/${first.id}`)).status !== 404);
  const { body: stub } = await call('POST', '/v1/jobs', { body: gone, ...keyed })
  assert.equal(stub.purged, true)
  const jobs = [TALK, {}, { service: 'no.such' }, { ...gone, idempotencyKey: 'gone' }]
  const { body: batch } = await call('POST', '/v1/jobs/batch', { body: { jobs } })
  assert.deepEqual(
    batch.results.map((result: object) => Object.keys(result)),
    [['id', 'status'], ['error'], ['error'], ['id', 'status', 'purged']],
  )
  await call('POST', '/v1/jobs/batch', { body: {} })
  for (const query of ['', '?limit=2', '?status=failed', '?label.a=b', '?x=1', '?cursor=x']) {
    await call('GET', `/v1/jobs${query}`)
  }
  await call('GET', '/v1/jobs/counts')
  const { id } = await run(TALK)
  await call('GET', `/v1/jobs/${id}/events`)
  const { body: told } = await call('GET', `/v1/jobs/${id}/history`)
  const headers = { 'last-event-id': String(told.items.at(-1).seq) }
  assert.equal((await call('GET', `/v1/jobs/${id}/events`, { headers })).status, 204)
})

test('every answer of the hash table is named in the document', async () => {
  const { body } = await call('PUT', '/v1/dht/answers', { body: { a: 1 } })
  await call('PUT', '/v1/dht/answers', { body: [null] })
  for (const version of [`"${body.version}"`, 'odd', '"1", "2"']) {
    await call('PUT', '/v1/dht/answers', { body: 1, headers: { 'if-match': version } })
  }
  await call('PUT', '/v1/dht/nothing', { body: 1, headers: { 'if-match': '*' } })
  await call('PUT', `/v1/dht/${'k'.repeat(513)}`, { body: 1 })
  await call('PUT', '/v1/dht/long', { body: 'x'.repeat(300_000) })
  await call('GET', '/v1/dht/answers')
  await call('GET', '/v1/dht?prefix=ans')
  await call('GET', `/v1/ids/${body.id}`)
  await call('DELETE', '/v1/dht/answers')
  await call('GET', '/v1/dht/answers')
})

test('every answer about the ring and what it can run is named in the document', async () => {
  const { body: ring } = await call('GET', '/v1/ring')
  await call('GET', `/v1/ids/${ring.nodes[0].id}`)
  await call('GET', `/v1/ids/${'f'.repeat(32)}`)
  await call('GET', '/v1/ids/odd')
  await call('GET', '/v1/ring/owner?key=a')
  const { body: services } = await call('GET', '/v1/services')
  const rare = services.items.find((item: { name: string }) => item.name === 'own.rare')
  assert.equal(rare.refused.reasons[0].reason, 'units')
  const { body: definitions } = await call('GET', '/v1/job-definitions')
  assert.equal(definitions.failures.length, 1)
  for (const path of ['/v1/sd', '/livez', '/readyz', '/metrics']) await call('GET', path)
})

test('every success that the document lists has been seen', () => {
  const unseen = successes.filter((success) => !document.judged.has(success))
  assert.deepEqual(unseen, [])
})
