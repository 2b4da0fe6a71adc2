import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

/** What operators do to jobs that went wrong, on a whole node. */

const node = ApiNode.forThisFile()

const ONCE = { attempts: 1 }

/** A job whose undoing fails for good. @returns its ID */
async function stuckJob(): Promise<string> {
  const { body } = await node.rest.submit({
    steps: {
      a: { service: 'test.echo', compensate: { service: 'test.fail', retry: ONCE } },
      b: { service: 'test.fail', needs: ['a'], retry: ONCE },
    },
  })
  assert.equal((await node.rest.finished(body.id)).status, 'compensation_failed')
  return body.id
}

test('a job whose compensation failed is ended by hand: failed for good, told why, removable', async () => {
  const id = await stuckJob()
  const kept = await node.rest.call('DELETE', `/v1/jobs/${id}`)
  assert.deepEqual([kept.status, kept.body.code], [409, 'job_not_finished'])
  const fail = (body: object, headers = {}) =>
    node.rest.call('POST', `/v1/jobs/${id}/fail`, { body, headers })

  const unsaid = await fail({})
  assert.deepEqual([unsaid.status, unsaid.body.code], [400, 'invalid_request'])
  const key = { 'idempotency-key': 'by hand' }
  const ended = await fail({ reason: 'refunded by phone' }, key)
  assert.deepEqual([ended.status, ended.body.id, ended.body.status], [202, id, 'failed'])
  const repeated = await fail({ reason: 'refunded by phone' }, key)
  assert.deepEqual([repeated.status, repeated.headers['idempotency-replayed']], [202, 'true'])
  const again = await fail({ reason: 'again' })
  assert.deepEqual([again.status, again.body.code], [409, 'nothing_to_fail'])
  const retried = await node.rest.call('POST', `/v1/jobs/${id}/retry`)
  assert.deepEqual([retried.status, retried.body.code], [409, 'nothing_to_retry'])

  const { body: history } = await node.rest.call('GET', `/v1/jobs/${id}/history`)
  const told = history.items.find(({ type }: { type: string }) => type === 'compensation_given_up')
  assert.equal(told.reason, 'refunded by phone')
  assert.equal((await node.rest.call('DELETE', `/v1/jobs/${id}`)).status, 204)
})
