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
  const { body: next } = await client.submit({ service: 'test.echo', input: 'after' })
  assert.equal((await client.finished(next.id)).output, 'after')
})
