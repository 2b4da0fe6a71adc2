import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

const node = ApiNode.forThisFile()

const put = (key: string, body: unknown, headers = {}) =>
  node.rest.call('PUT', `/v1/dht/${encodeURIComponent(key)}`, { body, headers })
const get = (key: string) => node.rest.call('GET', `/v1/dht/${encodeURIComponent(key)}`)

test('a first write gives 201, a later one 200, each with a higher version as its tag', async () => {
  const first = await put('k', { a: [1, null] })
  assert.equal(first.status, 201)
  assert.equal(first.headers['etag'], `"${first.body.version}"`)
  const second = await put('k', null)
  assert.equal(second.status, 200)
  assert.ok(second.body.version > first.body.version)
  assert.deepEqual((await get('k')).body, second.body)
  assert.equal(second.body.value, null)
})

test('every JSON value is a record as it is', async () => {
  for (const value of [null, false, 0, -1.5e-7, '', 'ä😀\u0000', [], {}, { constructor: 1 }]) {
    const written = await put('any', value)
    assert.deepEqual(written.body.value, value)
    assert.deepEqual((await get('any')).body.value, value)
  }
})

test('a body has 1 MiB like every other, and the value in it 256 KiB', async () => {
  const write = async (body: string) => {
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(`${node.url}/v1/dht/wide`, { method: 'PUT', headers, body })
    return status
  }
  const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`
  const KIB = 1024
  assert.equal(await write(text(256 * KIB)), 201)
  assert.equal(await write(text(256 * KIB).padEnd(1024 * KIB)), 200)
  assert.equal(await write(text(256 * KIB + 1)), 413)
  assert.equal(await write(text(256 * KIB).padEnd(1024 * KIB + 1)), 413)
})

test('keys are one percent-encoded segment: slashes, dots, percent signs and any UTF-8', async () => {
  const keys = ['a/b', '.a', 'a%2Fb', 'ä😀', ' ', 'a?b#c', 'x'.repeat(512)]
  for (const key of keys) {
    const path = `/v1/dht/${encodeURIComponent(key)}`
    const written = await node.rest.call('PUT', path, { body: key })
    assert.equal(written.status, 201, key)
    assert.equal(written.body.key, key)
    assert.equal((await node.rest.call('GET', path)).body.value, key)
  }
})

test('conditions are met or answered with 412 and the current version', async () => {
  const created = await put('c', 1, { 'if-none-match': '*' })
  assert.equal(created.status, 201)
  const taken = await put('c', 2, { 'if-none-match': '*' })
  assert.deepEqual([taken.status, taken.body.code], [412, 'version_conflict'])
  assert.equal(taken.body.currentVersion, created.body.version)
  const won = await put('c', 2, { 'if-match': created.headers['etag'] })
  assert.equal(won.status, 200)
  const lost = await put('c', 3, { 'if-match': created.headers['etag'] })
  assert.equal(lost.body.currentVersion, won.body.version)
  assert.equal((await put('c', 4, { 'if-match': '*' })).status, 200)
  const missing = await put('nobody', 1, { 'if-match': '*' })
  assert.deepEqual([missing.status, missing.body.currentVersion], [412, null])
})

test('deleting gives 204 also when there is nothing, and honours If-Match', async () => {
  const { headers, body } = await put('d', 1)
  const path = '/v1/dht/d'
  const stale = await node.rest.call('DELETE', path, { headers: { 'if-match': '"1"' } })
  assert.equal(stale.status, 412)
  const gone = await node.rest.call('DELETE', path, {
    headers: { 'if-match': String(headers['etag']) },
  })
  assert.deepEqual([gone.status, gone.body], [204, ''])
  assert.equal((await node.rest.call('DELETE', path)).status, 204)
  assert.deepEqual([(await get('d')).status, (await get('d')).body.code], [404, 'record_not_found'])
  const reborn = await put('d', 2)
  assert.equal(reborn.status, 201)
  assert.ok(reborn.body.version > body.version, 'versions rise across deletes')
})

test('a repeat under the same key gets the first answer, another request is refused', async () => {
  const key = { 'idempotency-key': 'w1' }
  const first = await put('i', { n: 1 }, key)
  const again = await put('i', { n: 1 }, key)
  assert.deepEqual([again.status, again.body], [first.status, first.body])
  assert.equal(again.headers['idempotency-replayed'], 'true')
  const other = await put('i', { n: 2 }, key)
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
})

test('listing goes by UTF-8 bytes over all arcs, each key once, over any page size', async () => {
  const keys = ['p/', 'p/a', 'p/b', 'p/\u{10000}', 'p/\uffff', 'p/ä', 'p/A', 'p0']
  for (const key of keys) await put(key, 0)
  for (let n = 0; n < 60; n += 1) await put(`p/many/${n}`, n)
  const expected = [...keys.filter((key) => key.startsWith('p/'))]
  for (let n = 0; n < 60; n += 1) expected.push(`p/many/${n}`)
  expected.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const found: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const { body } = await node.rest.call('GET', `/v1/dht?prefix=p%2F&limit=7${query}`)
    found.push(...body.items.map((item: { key: string }) => item.key))
    cursor = body.nextCursor
  }
  assert.deepEqual(found, expected)
})

test('an ID tells what stands behind it and who owns it', async () => {
  const { body: record } = await put('peeked', { x: 1 })
  const peek = await node.rest.call('GET', `/v1/ids/${record.id}`)
  assert.equal(peek.body.kind, 'record')
  assert.equal(peek.body.id, record.id)
  assert.equal(peek.body.replicas[0].agrees, true)
  const owner = await node.rest.call('GET', '/v1/ring/owner?key=peeked')
  assert.deepEqual([owner.body.id, owner.body.arc], [record.id, peek.body.arc])
  assert.equal(owner.body.owner, peek.body.owner)
  const itself = await node.rest.call('GET', `/v1/ids/${peek.body.owner}`)
  assert.equal(itself.body.kind, 'node')
  const nothing = await node.rest.call('GET', `/v1/ids/${'f'.repeat(32)}`)
  assert.deepEqual([nothing.body.kind, nothing.body.content], ['nothing', null])
})

test('a stale read says how stale it may be', async () => {
  await put('s', 1)
  const { headers } = await node.rest.call('GET', '/v1/dht/s?consistency=stale')
  assert.ok(Number(headers['gyre-applied-index']) > 0)
  assert.equal(headers['gyre-staleness-ms'], '0')
})

test('a cursor goes on only with the list and the filters that gave it out', async () => {
  const labels = { of: 'cursors' }
  const { body: job } = await node.rest.submit({ service: 'test.echo', labels })
  await node.rest.submit({ service: 'test.echo', labels })
  await node.rest.finished(job.id)
  for (const n of [1, 2, 3]) await node.rest.call('PUT', `/v1/dht/cursor${n}`, { body: n })
  for (const [list, others] of [
    ['/v1/jobs?label.of=cursors', ['/v1/jobs?status=failed', '/v1/jobs?', '/v1/dht?']],
    ['/v1/dht?prefix=cursor', ['/v1/dht?prefix=zzz', '/v1/dht?']],
    [
      `/v1/jobs/${job.id}/history?`,
      [`/v1/jobs/${job.id}/logs?`, `/v1/jobs/${'0'.repeat(32)}/history?`],
    ],
  ] as const) {
    const { body } = await node.rest.call('GET', `${list}&limit=1`)
    assert.equal(typeof body.nextCursor, 'string', list)
    const next = await node.rest.call('GET', `${list}&limit=2&cursor=${body.nextCursor}`)
    assert.equal(next.status, 200, list)
    for (const other of others) {
      const refused = await node.rest.call('GET', `${other}&cursor=${body.nextCursor}`)
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_cursor'], other)
    }
  }
})
