import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ApiNode } from './api/api-node.js'

const node = ApiNode.forThisFile()

const ORDER = { sku: 'lamp', quantity: 2, amount: 9, card: 'a card', address: 'a street' }

interface Event {
  readonly type: string
  readonly step?: string
  readonly hook?: string
}

async function run(submission: unknown) {
  const { status, body } = await node.rest.submit(submission)
  assert.equal(status, 202, JSON.stringify(body))
  return node.rest.finished(body.id)
}

test('order: reserves, charges and ships, and gives the three numbers', async () => {
  const job = await run({ job: 'order', input: ORDER })
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error))
  assert.deepEqual(
    job.steps.map(({ name, attemptCount }) => [name, attemptCount]),
    [
      ['reserve', 1],
      ['charge', 1],
      ['ship', 1],
    ],
  )
  const { reservation, charge, tracking } = job.output as Readonly<Record<string, string>>
  assert.match(`${reservation} ${charge} ${tracking}`, /^reservation-\S+ charge-\S+ tracking-\S+$/)
})

test('order: one that cannot be shipped is tried again, then undone, the charge before the reservation', async () => {
  const failing = { charge: { attempts: 1 }, ship: {} }
  const job = await run({ job: 'order', input: { ...ORDER, failing } })
  assert.equal(job.status, 'compensated', JSON.stringify(job.error))
  assert.deepEqual(
    job.steps.map(({ name, status, attemptCount }) => [name, status, attemptCount]),
    [
      ['reserve', 'succeeded', 1],
      ['charge', 'succeeded', 2],
      ['ship', 'failed', 3],
    ],
  )
  const { body } = await node.rest.call('GET', `/v1/jobs/${job.id}/history`)
  const undone = body.items.filter(
    ({ type, hook }: Event) => type === 'attempt_started' && hook === 'compensate',
  )
  assert.deepEqual(
    undone.map(({ step }: Event) => step),
    ['charge', 'reserve'],
  )
})

test('order: what fails for good is not tried again', async () => {
  const failing = { charge: { permanently: true } }
  const job = await run({ job: 'order', input: { ...ORDER, failing } })
  assert.equal(job.status, 'compensated', JSON.stringify(job.error))
  assert.equal(job.error?.code, 'shop_unavailable')
  assert.deepEqual(
    job.steps.map(({ attemptCount }) => attemptCount),
    [1, 1, 0],
  )
})

test('text-index: a search in its index finds the files, and nothing but the index is left', async (t) => {
  const { folder, out } = texts(t)
  const job = await run({ job: 'text-index', input: { folder, out, chunkBytes: 1024 } })
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error))
  const { index, files } = job.output as { readonly index: string; readonly files: number }
  assert.equal(files, 3)
  const found = await run({ service: 'text.search', input: { index, query: 'needle' } })
  const { hits } = found.output as { readonly hits: readonly { readonly path: string }[] }
  assert.deepEqual(
    hits.map(({ path }) => path),
    [join('deep', 'c.md')],
  )
  const left = readdirSync(join(out, job.id)).sort()
  assert.deepEqual(left, [index.slice(join(out, job.id).length + 1), 'made-out'])
})

test('text-index: one that fails at its end has removed what it wrote', async (t) => {
  const { folder, out } = texts(t)
  const { body } = await node.rest.call('GET', '/v1/job-definitions')
  const { steps } = body.items.find(({ name }: { name: string }) => name === 'text-index')
  const input = { folder, out }
  const failing = {
    ...steps,
    report: { service: 'test.fail', needs: ['merge'], retry: { attempts: 1 } },
  }
  const job = await run({ steps: failing, input })
  assert.equal(job.status, 'compensated', JSON.stringify(job.error))
  assert.deepEqual(readdirSync(join(out, '..')), ['texts'])
})

/** Three files in two folders, too much for one chunk. */
function texts(t: Parameters<typeof temporaryFolder>[0]): { folder: string; out: string } {
  const root = temporaryFolder(t)
  const folder = join(root, 'texts')
  mkdirSync(join(folder, 'deep'), { recursive: true })
  writeFileSync(join(folder, 'a.md'), 'hay '.repeat(250))
  writeFileSync(join(folder, 'b.md'), 'hay '.repeat(250))
  writeFileSync(join(folder, 'deep', 'c.md'), 'hay with a needle')
  return { folder, out: join(root, 'out') }
}
