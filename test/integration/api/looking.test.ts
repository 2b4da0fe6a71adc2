import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

/** What a node tells of a job to whoever asks why. */
const node = ApiNode.forThisFile()

test('a running job is explained by its attempt, a cancelled one by its end', async () => {
  const steps = {
    a: { service: 'test.sleep', input: { ms: 60_000 } },
    b: { service: 'test.echo', needs: ['a'] },
  }
  const { body: job } = await node.rest.submit({ steps })
  const running = await node.rest.call('GET', `/v1/jobs/${job.id}/explain`)
  assert.equal(running.status, 200)
  assert.match(running.body.summary, /^The job is running: attempt 1 of step a runs since /)
  const codes = running.body.reasons.map(({ code }: { code: string }) => code)
  assert.deepEqual(codes, ['running', 'waiting_needs'])
  await node.rest.call('POST', `/v1/jobs/${job.id}/cancel`)
  await node.rest.finished(job.id)
  const ended = await node.rest.call('GET', `/v1/jobs/${job.id}/explain`)
  assert.deepEqual(
    [ended.body.reasons[0].code, ended.body.reasons[0].status],
    ['finished', 'cancelled'],
  )
})

test('a job that is not there cannot be explained', async () => {
  for (const id of ['f'.repeat(32), 'x']) {
    const { status, body } = await node.rest.call('GET', `/v1/jobs/${id}/explain`)
    assert.deepEqual([status, body.code], [404, 'job_not_found'])
  }
})
