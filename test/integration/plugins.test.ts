import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const SERVICE = `
import { defineService } from '@gyre/workers'

interface Order { readonly words: readonly string[] }

export const join = defineService({
  name: 'plugin.join',
  version: '1.0.0',
  input: { type: 'object', required: ['words'] },
  async run(input: Order) {
    return { text: input.words.join(' ') }
  },
})
// Its timeout is too far away to end it.
export const block = { name: 'plugin.block', timeout: '1h', run() { for (;;); } }
`

const JOB = `
import { defineJob } from '@gyre/jobs'

export default defineJob({
  name: 'plugin-job',
  input: { type: 'object', required: ['words'] },
  steps: { join: { service: 'plugin.join', input: { $from: '/input' } } },
  output: { $from: '/steps/join/output/text' },
})
`

test('plugins in TypeScript are loaded by folder, and a broken one is named without harm', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'join.ts'), SERVICE)
  await writeFile(join(folder, 'job.ts'), JOB)
  await writeFile(join(folder, 'broken.ts'), 'export const x: = 1')
  const data = join(folder, 'data')
  const plugins = ['--workers', folder]
  const node = await NodeProcess.start(t, ['--data', data, '--init', ...plugins])
  const client = RestClient.open(t, node.url)
  assert.match(node.stderr, /broken\.ts/)
  const { body } = await client.submit({ job: 'plugin-job', input: { words: ['a', 'b'] } })
  const job = await client.finished(body.id)
  assert.equal(job.output, 'a b')
})

test('a handler that blocks its thread for ever fails its attempt, and the node goes on', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'join.ts'), SERVICE)
  const data = join(folder, 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--init', '--workers', folder])
  const client = RestClient.open(t, node.url)
  const blocking = { steps: { only: { service: 'plugin.block', retry: { attempts: 1 } } } }
  const { body: blocked } = await client.submit(blocking)
  const { status } = await client.call('PUT', '/v1/dht/meanwhile', { body: true })
  assert.equal(status, 201, 'API and ledger go on')
  const ended = await client.finished(blocked.id)
  assert.equal(ended.status, 'failed')
  assert.equal(ended.steps[0]?.attempts[0]?.outcome, 'timed_out')
  assert.match(node.stderr, /plugin\.block/, 'the handler is named')
  const { body: metrics } = await client.call('GET', '/metrics')
  assert.match(String(metrics), /^gyre_handler_blocked_total\{service="plugin\.block"\} 1$/m)
  assert.match(String(metrics), /^gyre_service_running_attempts\{service="plugin\.block"\} 0$/m)
  const { body: next } = await client.submit({ service: 'test.echo', input: 'after' })
  assert.equal((await client.finished(next.id)).output, 'after')
})

const COMPUTE = `
import { defineService } from '@gyre/workers'

export const spin = defineService({
  name: 'plugin.spin', isolation: 'thread', timeout: '500ms', retry: { attempts: 1 },
  run() { for (;;); },
})
export const sum = defineService({
  name: 'plugin.sum', isolation: 'thread', input: { type: 'integer' },
  run(n: number) { let sum = 0; for (let i = 1; i <= n; i += 1) sum += i; return sum },
})
export const count = {
  name: 'plugin.count',
  isolation: 'thread',
  async run(key, ctx) {
    const { value } = await ctx.dht.update(key, (n) => (n ?? 0) + ctx.config.step)
    return value
  },
}
export const talk = { name: 'plugin.talk', run(input, ctx) { ctx.log.info('said ' + input, { n: ctx.attempt }) } }
export const graphics = { name: 'plugin.graphics', requires: { units: { gpu: 1 } }, run: () => 'drawn' }
`

test('a node runs threads, keeps logs, and lets what fits nowhere wait until it fits', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'compute.ts'), COMPUTE)
  const data = join(folder, 'data')
  const args = ['--data', data, '--workers', folder]
  const node = await NodeProcess.start(t, [
    ...args,
    '--init',
    '--capacity',
    'cpu=2',
    '--worker-config',
    '{"step":5}',
  ])
  const client = RestClient.open(t, node.url)
  const { body: spin } = await client.submit({ service: 'plugin.spin' })
  const { body: sum } = await client.submit({ service: 'plugin.sum', input: 1_000 })
  const { body: drawing } = await client.submit({ service: 'plugin.graphics' })
  assert.equal((await client.finished(sum.id)).output, 500_500)
  const spun = await client.finished(spin.id)
  assert.equal(spun.steps[0]?.attempts[0]?.outcome, 'timed_out')
  const { body: services } = await client.call('GET', '/v1/services')
  const named = (name: string) =>
    services.items.find((item: { name: string }) => item.name === name)
  const { running, refused } = named('plugin.graphics')
  assert.deepEqual([running, refused.count, refused.reasons[0].reason], [0, 1, 'units'])
  assert.deepEqual(named('plugin.sum').refused, { count: 0, reasons: [] })
  const { body: waiting } = await client.call('GET', `/v1/jobs/${drawing.id}`)
  assert.deepEqual([waiting.status, waiting.steps[0].attemptCount], ['queued', 0])
  const counting = { service: 'plugin.count', input: 'counter' }
  const counts = await Promise.all([1, 2, 3, 4].map(() => client.submit(counting)))
  const outputs = await Promise.all(
    counts.map(async ({ body }) => (await client.finished(body.id)).output),
  )
  assert.deepEqual(
    outputs.map(Number).sort((a, b) => a - b),
    [5, 10, 15, 20],
  )
  assert.equal((await client.call('GET', '/v1/dht/counter')).body.value, 20)
  const { body: talk } = await client.submit({ service: 'plugin.talk', input: 'hello' })
  await client.finished(talk.id)
  const { body: logs } = await client.call('GET', `/v1/jobs/${talk.id}/logs`)
  const [{ at, ...line }] = logs.items
  const said = { seq: 1, level: 'info', message: 'said hello', step: 'main', attempt: 1 }
  assert.deepEqual([line, logs.dropped], [{ ...said, fields: { n: 1 } }, 0])
  assert.match(at, /^\d{4}-\d\d-\d\dT/)
  const { body: explained } = await client.call('GET', `/v1/jobs/${drawing.id}/explain`)
  assert.equal(explained.reasons[0].code, 'refused')
  assert.match(explained.summary, /gpu=1 and the node has 0; declare more with --capacity gpu=N/)
  await node.terminate()
  const more = await NodeProcess.start(t, [...args, '--capacity', 'cpu=2,gpu=1'])
  const again = RestClient.open(t, more.url)
  assert.equal((await again.finished(drawing.id)).output, 'drawn')
  const [{ capacity, load }] = (await again.call('GET', '/v1/ring')).body.nodes
  const { memoryMb, ...declared } = capacity.resources
  assert.deepEqual(declared, { cpu: 2, gpu: 1 })
  assert.ok(memoryMb > 0, 'measured')
  assert.deepEqual(load.resources, { cpu: 0, gpu: 0, memoryMb: 0 })
  const { body: metrics } = await again.call('GET', '/metrics')
  assert.match(metrics, /^gyre_capacity\{unit="gpu"\} 1$/m)
  assert.match(metrics, /^gyre_capacity_taken\{unit="cpu"\} 0$/m)
})

test('a service waits for a node with the labels that it asks for, and the ring shows what a node is', async (t) => {
  const folder = temporaryFolder(t)
  const text = `export const eu = { name: 'plugin.eu', labels: { region: 'eu' }, run: () => 'here' }`
  await writeFile(join(folder, 'eu.js'), text)
  const start = ['--data', join(folder, 'data'), '--workers', folder]
  const us = await NodeProcess.start(t, [...start, '--init', '--label', 'region=us'])
  const rest = RestClient.open(t, us.url)
  const { body: job } = await rest.submit({ service: 'plugin.eu' })
  const { body: why } = await rest.call('GET', `/v1/jobs/${job.id}/explain`)
  assert.equal(why.reasons[0].code, 'refused')
  assert.match(why.reasons[0].text, /it runs where region=eu, and this node has region=us/)
  const refusedNow = async (client: RestClient) => {
    const { body } = await client.call('GET', '/v1/services?limit=1000')
    const { refused } = body.items.find(({ name }: { name: string }) => name === 'plugin.eu')
    return [refused.count, refused.reasons.length]
  }
  assert.deepEqual(await refusedNow(rest), [1, 1])
  await us.terminate()
  const nobody = await NodeProcess.start(t, ['--data', join(folder, 'data')])
  assert.deepEqual(await refusedNow(RestClient.open(t, nobody.url)), [0, 0], 'nobody refuses it')
  await nobody.terminate()
  const eu = await NodeProcess.start(t, [...start, '--label', 'region=eu', '--zone', 'rack-7'])
  const again = RestClient.open(t, eu.url)
  assert.equal((await again.finished(job.id)).output, 'here')
  const { body: ring } = await again.call('GET', '/v1/ring')
  assert.deepEqual([ring.nodes[0].zone, ring.nodes[0].labels], ['rack-7', { region: 'eu' }])
})
