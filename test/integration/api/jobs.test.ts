import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

const node = ApiNode.forThisFile()

const echo = (input: unknown): object => ({ service: 'test.echo', input })

test('a submission is answered with 202, its place and the job', async () => {
  const { status, headers, body } = await node.rest.submit(echo({ n: 1 }))
  assert.equal(status, 202)
  assert.match(body.id, /^[0-9a-f]{32}$/)
  assert.equal(headers['location'], `/v1/jobs/${body.id}`)
  assert.equal(headers['gyre-served-by'], 'api-test')
  assert.deepEqual(body.input, { n: 1 })
  assert.equal(body.job, null)
})

test('Prefer: wait gives the finished job with 200, and says what it applied', async () => {
  const prefer = { prefer: 'respond-async, wait=20' }
  const { status, headers, body } = await node.rest.submit(echo([1, 2]), undefined, prefer)
  assert.equal(status, 200)
  assert.equal(headers['preference-applied'], 'wait=20')
  assert.equal(body.status, 'succeeded')
  assert.deepEqual(body.output, [1, 2])
})

test('Prefer: wait gives 202 and the job as it is when time runs out', async () => {
  const sleep = { service: 'test.sleep', input: { ms: 60_000 } }
  const { status, headers, body } = await node.rest.submit(sleep, undefined, { prefer: 'wait=1' })
  assert.equal(status, 202)
  assert.equal(headers['preference-applied'], 'wait=1')
  assert.equal(body.status, 'running')
  await node.rest.call('POST', `/v1/jobs/${body.id}/cancel`)
})

test('a wait longer than a minute is cut to a minute', async () => {
  const prefer = { prefer: 'wait=86400' }
  const { headers } = await node.rest.submit(echo(1), undefined, prefer)
  assert.equal(headers['preference-applied'], 'wait=60')
})

test('reading with wait answers at once when the job ends, not when time runs out', async () => {
  const { body } = await node.rest.submit({ service: 'test.sleep', input: { ms: 300 } })
  const began = performance.now()
  const answer = await node.rest.call('GET', `/v1/jobs/${body.id}?wait=30s`)
  assert.equal(answer.body.status, 'succeeded')
  assert.ok(performance.now() - began < 10_000)
})

test('user data comes back as it went, templates and odd names included', async () => {
  const input = {
    $from: '/steps/x',
    constructor: 1,
    toString: null,
    '': [{ $literal: 'ä\u0000😀' }],
  }
  const { body } = await node.rest.submit(echo(input), undefined, { prefer: 'wait=20' })
  assert.deepEqual(body.output, input)
})

test('steps pass data by pointers and the output template makes the output', async () => {
  const submission = {
    input: { words: ['a', 'b', 'c'] },
    steps: {
      first: { service: 'test.echo', input: { got: { $from: '/input/words/1' } } },
      each: {
        service: 'test.echo',
        forEach: { $from: '/input/words' },
        input: { word: { $from: '/item' }, after: { $from: '/steps/first/output/got' } },
      },
    },
    output: { all: { $from: '/steps/each/output' } },
  }
  const { status, body } = await node.rest.submit(submission, undefined, { prefer: 'wait=20' })
  assert.equal(status, 200)
  assert.equal(body.status, 'succeeded', JSON.stringify(body))
  const word = (text: string) => ({ word: text, after: 'b' })
  assert.deepEqual(body.output, { all: [word('a'), word('b'), word('c')] })
  const path = `/v1/jobs/${body.id}/steps/each/items`
  const first = await node.rest.call('GET', `${path}?limit=2`)
  assert.deepEqual(
    first.body.items.map((item: { index: number }) => item.index),
    [0, 1],
  )
  const second = await node.rest.call('GET', `${path}?limit=2&cursor=${first.body.nextCursor}`)
  assert.deepEqual(
    second.body.items.map((item: { index: number }) => item.index),
    [2],
  )
  assert.equal(second.body.nextCursor, null)
})

test('the timeline is paged from its beginning without gaps', async () => {
  const { body } = await node.rest.submit(echo(1), undefined, { prefer: 'wait=20' })
  const path = `/v1/jobs/${body.id}/history`
  const whole = await node.rest.call('GET', path)
  const pages: unknown[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '?limit=1' : `?limit=1&cursor=${cursor}`
    const page = await node.rest.call('GET', path + query)
    pages.push(...page.body.items)
    cursor = page.body.nextCursor
  }
  assert.deepEqual(pages, whole.body.items)
  assert.ok(pages.length >= 3, JSON.stringify(pages))
})

test('the same key and submission give the same job, 202 while it lives and 200 after', async () => {
  const sleep = { service: 'test.sleep', input: { ms: 60_000 } }
  const first = await node.rest.submit(sleep, 'same')
  const again = await node.rest.submit({ input: { ms: 6e4 }, service: 'test.sleep' }, 'same')
  assert.equal(again.status, 202)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.equal(again.body.id, first.body.id)
  await node.rest.call('POST', `/v1/jobs/${first.body.id}/cancel`)
  await node.rest.finished(first.body.id)
  const after = await node.rest.submit({ ...sleep, idempotencyKey: 'same' })
  assert.equal(after.status, 200)
  assert.equal(after.body.status, 'cancelled')
  const later = new Date(Date.now() + 60_000).toISOString()
  const bounded = await node.rest.submit({ ...sleep, notAfter: later }, 'same')
  assert.equal(bounded.body.id, first.body.id, 'notAfter is no part of the request')
})

test('a batch gives each job its own result, in order, and shares keys with single ones', async () => {
  const single = await node.rest.submit(echo('k'), 'batch key')
  const jobs = [
    echo(0),
    { service: 'no.such' },
    'garbage',
    { ...echo('k'), idempotencyKey: 'batch key' },
    { ...echo('other'), idempotencyKey: 'batch key' },
    { service: 'test.echo', colour: 1 },
  ]
  const { status, body } = await node.rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  assert.equal(status, 202)
  const codes = body.results.map((result: { error?: { code: string } }) => result.error?.code)
  assert.deepEqual(codes, [
    undefined,
    'unknown_service',
    'invalid_request',
    undefined,
    'idempotency_key_reused',
    'unknown_field',
  ])
  assert.match(body.results[0].id, /^[0-9a-f]{32}$/)
  assert.equal(typeof body.results[0].status, 'string')
  assert.equal(body.results[3].id, single.body.id)
})

test('a batch of a thousand jobs is taken whole', async () => {
  const jobs = Array.from({ length: 1000 }, (_, n) => echo(n))
  const { status, body } = await node.rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  assert.equal(status, 202)
  const ids = new Set(body.results.map((result: { id: string }) => result.id))
  assert.equal(ids.size, 1000)
})

test('jobs of all arcs are listed newest first, each once, over any page size', async () => {
  const ids = new Set<string>()
  const keys: string[] = []
  let cursor = ''
  for (;;) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const { body } = await node.rest.call('GET', `/v1/jobs?limit=37${query}`)
    for (const job of body.items) {
      ids.add(job.id)
      keys.push(`${job.createdAt} ${job.id}`)
    }
    if (body.nextCursor === null) break
    assert.equal(body.items.length, 37)
    cursor = body.nextCursor
  }
  assert.ok(keys.length > 1000)
  assert.equal(ids.size, keys.length)
  assert.deepEqual(keys, [...keys].sort().reverse())
})

test('lists are filtered by status and by creation', async () => {
  const { body } = await node.rest.submit({
    service: 'test.fail',
    retry: { attempts: 2, delay: 1 },
  })
  const failed = await node.rest.finished(body.id)
  assert.equal(failed.status, 'failed')
  const list = await node.rest.call('GET', '/v1/jobs?status=failed')
  assert.deepEqual(
    list.body.items.map((job: { id: string }) => job.id),
    [body.id],
  )
  const from = encodeURIComponent(body.createdAt)
  const since = await node.rest.call(
    'GET',
    `/v1/jobs?createdAfter=${from}&createdBefore=2200-01-01T00:00:00Z`,
  )
  assert.deepEqual(
    since.body.items.map((job: { id: string }) => job.id),
    [body.id],
  )
  const before = await node.rest.call('GET', `/v1/jobs?createdBefore=2001-01-01T00:00:00Z`)
  assert.deepEqual(before.body, { items: [], nextCursor: null })
})

test('cancel, retry and skip answer 202 and the job, or say why not', async () => {
  const { body } = await node.rest.submit({ service: 'test.sleep', input: { ms: 60_000 } })
  const act = (action: string, options = {}) =>
    node.rest.call('POST', `/v1/jobs/${body.id}/${action}`, options)
  const cancelled = await act('cancel', {
    body: { compensate: true },
    headers: { 'idempotency-key': 'c' },
  })
  assert.equal(cancelled.status, 202)
  assert.equal(cancelled.body.id, body.id)
  await node.rest.finished(body.id)
  const repeated = await act('cancel', {
    body: { compensate: true },
    headers: { 'idempotency-key': 'c' },
  })
  assert.equal(repeated.status, 202)
  assert.equal(repeated.headers['idempotency-replayed'], 'true')
  const again = await act('cancel')
  assert.deepEqual([again.status, again.body.code], [409, 'job_finished'])
  const retried = await act('retry')
  assert.deepEqual([retried.status, retried.body.code], [409, 'nothing_to_retry'])
  const skipped = await act('skip', { body: { step: 'main', reason: 'because' } })
  assert.deepEqual([skipped.status, skipped.body.code], [409, 'nothing_to_skip'])
})

test('a client that goes away while it waits leaves no watch behind', async () => {
  const { body } = await node.rest.submit({ service: 'test.sleep', input: { ms: 60_000 } })
  const waits = async (): Promise<number> => {
    const { body: text } = await node.rest.call('GET', '/metrics')
    return Number(/^gyre_http_waits (\d+)/m.exec(text)?.[1])
  }
  const leaving = new AbortController()
  const gone = fetch(`${node.url}/v1/jobs/${body.id}?wait=60s`, { signal: leaving.signal })
  while ((await waits()) === 0);
  leaving.abort()
  await assert.rejects(gone)
  while ((await waits()) > 0);
  await node.rest.call('POST', `/v1/jobs/${body.id}/cancel`)
})

test('jobs are found and counted by their labels, also together with other filters', async () => {
  const labels = { team: 'billing/eu', env: 'test=1' }
  const first = await node.rest.submit({ ...echo(1), labels })
  const second = await node.rest.submit({ ...echo(2), labels: { team: 'billing/eu' } })
  for (const { body } of [first, second]) await node.rest.finished(body.id)
  assert.deepEqual(first.body.labels, labels)
  const idsOf = async (query: string): Promise<string[]> => {
    const { body } = await node.rest.call('GET', `/v1/jobs?${query}`)
    return body.items.map(({ id }: { id: string }) => id)
  }
  const both = new Set([first.body.id, second.body.id])
  assert.deepEqual(new Set(await idsOf('label.team=billing%2Feu')), both)
  assert.deepEqual(await idsOf('label.team=billing%2Feu&label.env=test%3D1'), [first.body.id])
  assert.deepEqual(await idsOf('label.team=billing%2Feu&status=failed'), [])
  const counts = await node.rest.call('GET', '/v1/jobs/counts?label.team=billing%2Feu')
  assert.deepEqual(counts.body, { total: 2, byStatus: { succeeded: 2 } })
  const ofNobody = await node.rest.call('GET', '/v1/jobs/counts?job=of.nobody')
  assert.deepEqual(ofNobody.body, { total: 0, byStatus: {} })
})

test('labels that are not well formed are refused, and so are filters', async () => {
  for (const labels of [{ 'a b': 'x' }, { a: 1 }, { a: 'x'.repeat(257) }, []]) {
    const { status, body } = await node.rest.submit({ ...echo(1), labels })
    assert.deepEqual([status, body.code], [400, 'invalid_request'], JSON.stringify(labels))
    assert.match(body.errors[0].path, /^\/labels/)
  }
  for (const query of ['label.=x', 'label.a%20b=x', 'label.a=1&label.a=2', 'labels.a=1']) {
    const { status } = await node.rest.call('GET', `/v1/jobs?${query}`)
    assert.equal(status, 400, query)
  }
})

test('a finished job is deleted with 204 and gone, a running one is kept with 409', async () => {
  const sleep = { service: 'test.sleep', input: { ms: 60_000 } }
  const { body: running } = await node.rest.submit(sleep)
  const refused = await node.rest.call('DELETE', `/v1/jobs/${running.id}`)
  assert.deepEqual([refused.status, refused.body.code], [409, 'job_not_finished'])
  await node.rest.call('POST', `/v1/jobs/${running.id}/cancel`)
  await node.rest.finished(running.id)
  const deleted = await node.rest.call('DELETE', `/v1/jobs/${running.id}`)
  assert.equal(deleted.status, 204)
  for (const part of ['', '/history', '/steps/main/items']) {
    const { status, body } = await node.rest.call('GET', `/v1/jobs/${running.id}${part}`)
    assert.deepEqual([status, body.code], [404, 'job_not_found'])
  }
})

test('a job is gone after its retention, and its key answers what is left of it', async () => {
  const submission = { ...echo(1), retention: '100ms' }
  const { body } = await node.rest.submit(submission, 'retained')
  const url = `/v1/jobs/${body.id}`
  while ((await node.rest.call('GET', url)).status !== 404);
  const again = await node.rest.submit(submission, 'retained')
  assert.equal(again.status, 200)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.deepEqual(again.body, { id: body.id, status: 'succeeded', purged: true })
  const jobs = [{ ...submission, idempotencyKey: 'retained' }]
  const batch = await node.rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  assert.deepEqual(batch.body.results, [again.body])
  const tooLong = await node.rest.submit({ ...echo(1), retention: '366d' })
  assert.deepEqual([tooLong.status, tooLong.body.errors[0].path], [400, '/retention'])
})
