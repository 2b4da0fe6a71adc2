import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const file = ownerOfThisFile()

const JOB = `
export const greet = { name: 'greet', steps: { hi: { service: 'test.echo', input: { $from: '/input' } } } }
`
const service = (required: string): string => `
export const one = {
  name: 'p.one',
  input: { type: 'object', required: ['${required}'] },
  run(input) { return input },
}
`

test('a repeat under its key is answered as the first time, whatever plugins are there by then', async () => {
  const plugins = temporaryFolder(file)
  const flags = ['--data', join(temporaryFolder(file), 'data'), '--workers', plugins]
  await writeFile(join(plugins, 'job.mjs'), JOB)
  await writeFile(join(plugins, 'service.mjs'), service('a'))
  let node = await NodeProcess.start(file, [...flags, '--init'])
  let rest = RestClient.open(file, node.url)
  const ofJob = { job: 'greet', input: { a: 1 }, idempotencyKey: 'J' }
  const ofService = { service: 'p.one', input: { a: 1 }, idempotencyKey: 'S' }
  const greeted = await rest.submit(ofJob)
  const served = await rest.submit(ofService)
  await rest.finished(greeted.body.id)
  await rest.finished(served.body.id)

  await node.terminate()
  await rm(join(plugins, 'job.mjs'))
  await writeFile(join(plugins, 'service.mjs'), service('b'))
  node = await NodeProcess.start(file, flags)
  rest = RestClient.open(file, node.url)
  const repeats = [await rest.submit(ofJob), await rest.submit(ofService)]
  assert.deepEqual(
    repeats.map(({ status, body }) => [status, body.id, body.status]),
    [
      [200, greeted.body.id, 'succeeded'],
      [200, served.body.id, 'succeeded'],
    ],
  )
  const batch = await rest.call('POST', '/v1/jobs/batch', { body: { jobs: [ofJob, ofService] } })
  assert.deepEqual(
    batch.body.results.map(({ id }: { id: string }) => id),
    [greeted.body.id, served.body.id],
  )
  const codes = [
    await rest.submit({ ...ofService, input: { a: 2 } }),
    await rest.submit({ ...ofService, idempotencyKey: 'new' }),
    await rest.submit({ ...ofJob, idempotencyKey: 'new' }),
  ].map(({ status, body }) => [status, body.code])
  assert.deepEqual(codes, [
    [422, 'idempotency_key_reused'],
    [422, 'schema_mismatch'],
    [422, 'unknown_job'],
  ])
})

test('an input of null stays null', async () => {
  const data = join(temporaryFolder(file), 'data')
  const node = await NodeProcess.start(file, ['--data', data, '--init'])
  const rest = RestClient.open(file, node.url)
  const one = { service: 'test.echo', input: null }
  const steps = { a: { service: 'test.echo', input: null }, b: { service: 'test.echo' } }
  for (const submission of [one, { steps, input: null }]) {
    const { body } = await rest.submit(submission)
    await rest.finished(body.id)
    const job = (await rest.call('GET', `/v1/jobs/${body.id}`)).body
    assert.equal(job.input, null)
    assert.deepEqual(
      job.steps.map(({ output }: { output: unknown }) => output),
      'steps' in submission ? [null, {}] : [null],
    )
  }
})
