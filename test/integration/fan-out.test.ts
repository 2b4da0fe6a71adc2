import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const COUNT = 10_000
/** Looks at a job before it must have come as far as the test wants it. */
const LOOKS_MAX = 10_000

interface ShownItem {
  readonly index: number
  readonly status: string
  readonly output: unknown
}

async function allItems(rest: RestClient, id: string): Promise<ShownItem[]> {
  const items: ShownItem[] = []
  for (let cursor = ''; ; ) {
    const query = cursor === '' ? '' : `&cursor=${cursor}`
    const { body } = await rest.call('GET', `/v1/jobs/${id}/steps/each/items?limit=1000${query}`)
    items.push(...body.items)
    if (body.nextCursor === null) return items
    cursor = body.nextCursor
  }
}

/** Waits until at least `count` items of the job's only step have succeeded. */
async function succeededItems(rest: RestClient, id: string, count: number): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const { body } = await rest.call('GET', `/v1/jobs/${id}`)
    if ((body.steps[0].items?.succeeded ?? 0) >= count) return
  }
  assert.fail(`${count} items have not succeeded after ${LOOKS_MAX} looks`)
}

test('a forEach of 10,000 items goes on after a kill -9 in its middle, and shows each item once', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init'])
  const before = RestClient.open(t, first.url)
  const each = {
    service: 'test.echo',
    forEach: { range: COUNT },
    input: { n: { $from: '/item' } },
  }
  const { body } = await before.submit({ steps: { each } })
  await succeededItems(before, body.id, COUNT / 10)
  await first.kill()

  const node = await NodeProcess.start(t, ['--data', folder])
  const rest = RestClient.open(t, node.url)
  const job = await rest.finished(body.id)
  assert.equal(job.status, 'succeeded')
  assert.deepEqual(
    job.output,
    Array.from({ length: COUNT }, (_, n) => ({ n })),
  )
  const items = await allItems(rest, body.id)
  assert.equal(items.length, COUNT)
  for (const [index, item] of items.entries()) {
    assert.equal(item.index, index)
    assert.equal(item.status, 'succeeded')
    assert.deepEqual(item.output, { n: index })
  }
})

test('a forEach of 100,000 items is taken, cancelled at once, and one of more is refused', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const rest = RestClient.open(t, node.url)
  const eachOf = (range: number): object => ({
    each: { service: 'test.sleep', forEach: { range }, input: { ms: 3_600_000 }, timeout: '2h' },
  })
  const refused = await rest.submit({ steps: eachOf(100_001) })
  assert.equal(refused.status, 400)
  assert.equal(refused.body.code, 'invalid_job')
  assert.match(refused.body.errors[0].message, /100001 items; the limit is 100000/)

  const { body } = await rest.submit({ steps: eachOf(100_000) })
  assert.equal(body.steps[0].items.total, 100_000)
  const cancelled = await rest.call('POST', `/v1/jobs/${body.id}/cancel`, { body: {} })
  assert.equal(cancelled.status, 202)
  assert.equal((await rest.finished(body.id)).status, 'cancelled')
  const last = await rest.call('GET', `/v1/jobs/${body.id}/steps/each/items?limit=1`)
  assert.equal(last.body.items[0].status, 'cancelled')
})
