import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'

const file = ownerOfThisFile()
let rest: RestClient
let node: NodeProcess
let data: string
let workers: string
let calls: string

/** Each run adds a line to a file: what ran is seen from outside. */
function plugin(version: string): string {
  return `
import { appendFileSync } from 'node:fs'
const note = (input) => appendFileSync(${JSON.stringify(calls)}, JSON.stringify(input) + '\\n')
export const square = {
  name: 'pure.square', version: '${version}', memoize: '1h',
  run(input) { note(input); return { squared: input.n * input.n, by: '${version}' } },
}
export const plain = { name: 'plain.echo', run(input) { note(input); return input } }
`
}

before(async () => {
  workers = temporaryFolder(file)
  calls = join(temporaryFolder(file), 'calls')
  await appendFile(calls, '')
  await writeFile(join(workers, 'pure.mjs'), plugin('1.0.0'))
  data = join(temporaryFolder(file), 'data')
  await startNode('--init')
})

async function startNode(...flags: string[]): Promise<void> {
  node = await NodeProcess.start(file, ['--data', data, '--workers', workers, ...flags])
  rest = RestClient.open(file, node.url)
}

async function run(submission: object): Promise<Job> {
  const { status, body } = await rest.submit(submission)
  assert.equal(status, 202, JSON.stringify(body))
  return rest.finished(body.id)
}

async function callCount(): Promise<number> {
  return (await readFile(calls, 'utf8')).split('\n').length - 1
}

/** The job whose result it was given, as its history says. */
async function sourceOf(id: string): Promise<string | null> {
  const { body } = await rest.call('GET', `/v1/jobs/${id}/history`)
  const told = body.items.find(({ type }: { type: string }) => type === 'memoized')
  return told?.source ?? null
}

test('the same work of many jobs is done once, and each history names the job that did it', async () => {
  const first = await run({ service: 'pure.square', input: { n: 3, note: 'x' } })
  assert.equal(await sourceOf(first.id), null)
  const count = await callCount()
  for (let job = 0; job < 20; job += 1) {
    const again = await run({ service: 'pure.square', input: { note: 'x', n: 3 } })
    assert.equal(again.status, 'succeeded')
    assert.deepEqual(again.output, { squared: 9, by: '1.0.0' })
    assert.equal(await sourceOf(again.id), first.id)
  }
  assert.equal(await callCount(), count)
  const other = await run({ service: 'pure.square', input: { n: 4, note: 'x' } })
  assert.deepEqual(other.output, { squared: 16, by: '1.0.0' })
  assert.equal(await callCount(), count + 1)
})

test('a step may share what its service does not, for as long as it says, or keep it for itself', async () => {
  const shared = { steps: { a: { service: 'plain.echo', memoize: '1h', input: { by: 'step' } } } }
  const first = await run(shared)
  assert.equal(await sourceOf((await run(shared)).id), first.id)
  const own = { service: 'pure.square', memoize: false, input: { n: 3, note: 'x' } }
  assert.equal(await sourceOf((await run({ steps: { a: own } })).id), null)
})

test('memoize beside a compensation is 400', async () => {
  const compensate = { service: 'plain.echo' }
  const both = { steps: { a: { service: 'plain.echo', memoize: '1h', compensate } } }
  const { status, body } = await rest.submit(both)
  assert.deepEqual([status, body.errors[0].path], [400, '/steps/a/memoize'])
})

test('results last over a kill -9, and none is taken for that of another version', async () => {
  const first = await run({ service: 'pure.square', input: { n: 5 } })
  await run({ service: 'pure.square', input: { n: 6 } })
  await node.kill()
  await startNode()
  assert.equal(
    await sourceOf((await run({ service: 'pure.square', input: { n: 5 } })).id),
    first.id,
  )
  await node.terminate()
  await writeFile(join(workers, 'pure.mjs'), plugin('2.0.0'))
  await startNode()
  const later = await run({ service: 'pure.square', input: { n: 5 } })
  assert.deepEqual(later.output, { squared: 25, by: '2.0.0' })
})
