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

test('a failed job is submitted again from the step that failed, with what came before it', async () => {
  const steps = {
    a: { service: 'test.sleep', input: { ms: { $from: '/input/a' } } },
    b: { service: 'test.echo', needs: ['a'], input: { $from: '/input/b' }, retry: ONCE },
  }
  const output = { a: { $from: '/steps/a/output/slept' }, b: { $from: '/steps/b/output' } }
  const first = await node.rest.submit({ steps, output, input: { a: 1 }, labels: { of: 'x' } })
  const id = first.body.id
  assert.equal((await node.rest.finished(id)).error?.code, 'input_unresolved')
  const again = (body: object, headers = {}) =>
    node.rest.call('POST', `/v1/jobs/${id}/resubmit`, { body, headers })

  const made = await again({ from: 'b', input: { b: 2 } }, { 'idempotency-key': 'again' })
  assert.equal(made.status, 202)
  assert.equal(made.headers['location'], `/v1/jobs/${made.body.id}`)
  assert.notEqual(made.body.id, id)
  await node.rest.finished(made.body.id)
  const { body: done } = await node.rest.call('GET', `/v1/jobs/${made.body.id}`)
  assert.deepEqual(
    [done.status, done.output, done.labels],
    ['succeeded', { a: 1, b: 2 }, { of: 'x' }],
  )
  assert.equal(done.steps[0].takenFrom, id)
  const repeated = await again({ from: 'b', input: { b: 2 } }, { 'idempotency-key': 'again' })
  assert.deepEqual([repeated.status, repeated.body.id], [202, made.body.id])
  assert.equal(repeated.headers['idempotency-replayed'], 'true')

  const codes = async (body: object) => {
    const { status, body: problem } = await again(body)
    return [status, problem.code]
  }
  assert.deepEqual(await codes({ from: 'nowhere' }), [404, 'step_not_found'])
  assert.deepEqual(await codes({ from: 'not a name' }), [400, 'invalid_request'])
  assert.deepEqual(await codes({ since: 'b' }), [400, 'unknown_field'])
  assert.deepEqual(await codes({ input: JSON.parse('{"__proto__": 1}') }), [400, 'invalid_request'])
})

test('what may not be resubmitted is refused with what to do instead', async () => {
  const stuck = await stuckJob()
  const undone = await node.rest.call('POST', `/v1/jobs/${stuck}/resubmit`, { body: { from: 'b' } })
  assert.deepEqual([undone.status, undone.body.code], [409, 'output_missing'])
  assert.match(undone.body.detail, /resubmit it from a, or from the start/)
  const nobody = await node.rest.call('POST', `/v1/jobs/${'0'.repeat(32)}/resubmit`)
  assert.deepEqual([nobody.status, nobody.body.code], [404, 'job_not_found'])
  const asleep = await node.rest.submit({ service: 'test.sleep', input: { ms: 0 } })
  await node.rest.finished(asleep.body.id)
  const bad = { body: { input: { ms: 'no number' } } }
  const mismatch = await node.rest.call('POST', `/v1/jobs/${asleep.body.id}/resubmit`, bad)
  assert.deepEqual([mismatch.status, mismatch.body.code], [422, 'schema_mismatch'])
  await node.rest.call('DELETE', `/v1/jobs/${asleep.body.id}`)
  const gone = await node.rest.call('POST', `/v1/jobs/${asleep.body.id}/resubmit`)
  assert.deepEqual([gone.status, gone.body.code], [404, 'job_not_found'])
})

test('a bulk action is counted first, then done by a job, which tells what it has done', async () => {
  const labels = { batch: 'bulk' }
  const jobs = Array.from({ length: 120 }, () => ({
    service: 'test.sleep',
    input: { ms: 60_000 },
    delay: '1h',
    labels,
  }))
  const { body: batch } = await node.rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  const ids: string[] = batch.results.map(({ id }: { id: string }) => id)
  const act = (body: object, headers = {}) =>
    node.rest.call('POST', '/v1/jobs/actions', { body, headers })
  const filter = { 'label.batch': 'bulk' }

  const counted = await act({ action: 'cancel', filter, dryRun: true })
  assert.deepEqual([counted.status, counted.body.count], [200, 120])
  assert.deepEqual(counted.body.byStatus, { scheduled: 120 })
  const begun = await act({ action: 'cancel', filter }, { 'idempotency-key': 'bulk' })
  assert.equal(begun.status, 202)
  assert.equal(begun.headers['location'], `/v1/jobs/${begun.body.id}`)
  const done = await node.rest.finished(begun.body.id)
  assert.deepEqual([done.status, done.output], ['succeeded', { done: 120, skipped: 0, failed: 0 }])
  for (const id of ids) assert.equal((await node.rest.finished(id)).status, 'cancelled')
  const repeated = await act({ action: 'cancel', filter }, { 'idempotency-key': 'bulk' })
  assert.deepEqual([repeated.status, repeated.body.id], [202, begun.body.id])

  const again = await act({ action: 'cancel', filter })
  const skipped = await node.rest.finished(again.body.id)
  assert.deepEqual(skipped.output, { done: 0, skipped: 120, failed: 0 })
  const removed = await act({ action: 'delete', filter: { ...filter, status: 'cancelled' } })
  const removal = await node.rest.finished(removed.body.id)
  assert.deepEqual(removal.output, { done: 120, skipped: 0, failed: 0 })
  const { body: left } = await node.rest.call('GET', '/v1/jobs?label.batch=bulk')
  assert.deepEqual(left.items, [])
})

test('a bulk action says which jobs it means: a filter, and nothing that the list does not know', async () => {
  const refused = async (body: object) => {
    const { status, body: problem } = await node.rest.call('POST', '/v1/jobs/actions', { body })
    return [status, problem.code]
  }
  assert.deepEqual(await refused({ action: 'cancel' }), [400, 'invalid_request'])
  assert.deepEqual(await refused({ filter: {} }), [400, 'invalid_request'])
  assert.deepEqual(await refused({ action: 'pause', filter: {} }), [400, 'invalid_request'])
  assert.deepEqual(await refused({ action: 'cancel', filter: { state: 'x' } }), [
    400,
    'unknown_field',
  ])
  assert.deepEqual(await refused({ action: 'cancel', filter: {}, force: 1 }), [
    400,
    'unknown_field',
  ])
  const body = { action: 'cancel', filter: { createdBefore: 'yesterday' } }
  const late = await node.rest.call('POST', '/v1/jobs/actions', { body })
  assert.equal(late.status, 400)
  assert.deepEqual(
    late.body.errors.map(({ path }: { path: string }) => path),
    ['/filter/createdBefore'],
  )
})
