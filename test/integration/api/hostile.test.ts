import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiNode } from './api-node.js'

/** Requests that nobody should send. Each has its status and code, and none of them is a 5xx. */

const node = ApiNode.forThisFile()

const JSON_TYPE = { 'content-type': 'application/json' }

interface Hostile {
  readonly what: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  readonly status: number
  readonly code: string
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const echo = (input: string): string => `{"service":"test.echo","input":${input}}`
const post = { method: 'POST', path: '/v1/jobs', headers: JSON_TYPE }
const put = { method: 'PUT', path: '/v1/dht/hostile', headers: JSON_TYPE }

const HOSTILE: readonly Hostile[] = [
  { what: 'no route', path: '/v1/nothing', status: 404, code: 'route_not_found' },
  {
    what: 'no route, with a body',
    method: 'POST',
    path: '/x',
    body: 'x',
    status: 404,
    code: 'route_not_found',
  },
  { what: 'method', method: 'DELETE', path: '/v1/jobs', status: 405, code: 'method_not_allowed' },
  { what: 'method', method: 'PROPFIND', path: '/livez', status: 405, code: 'method_not_allowed' },
  {
    what: 'no content type',
    ...post,
    headers: {},
    body: new Uint8Array([123, 125]),
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: 'form',
    ...post,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'a=b',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: 'broken content type',
    ...post,
    headers: { 'content-type': ';;;' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
  },
  { what: 'no body', ...post, headers: {}, status: 400, code: 'invalid_request' },
  { what: 'broken JSON', ...post, body: '{"service":', status: 400, code: 'invalid_json' },
  {
    what: 'not UTF-8',
    ...post,
    body: new Uint8Array([34, 0xff, 34]),
    status: 400,
    code: 'invalid_json',
  },
  { what: 'bare null', ...post, body: 'null', status: 400, code: 'invalid_request' },
  { what: 'array', ...post, body: '[]', status: 400, code: 'invalid_request' },
  {
    what: 'unknown member',
    ...post,
    body: '{"service":"test.echo","colour":1}',
    status: 400,
    code: 'unknown_field',
  },
  {
    what: '__proto__',
    ...post,
    body: echo('{"a":{"__proto__":{"x":1}}}'),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'escaped __proto__',
    ...post,
    body: echo('{"\\u005f_proto__":1}'),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'constructor.prototype',
    ...post,
    body: echo('{"constructor":{"prototype":{}}}'),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: '__proto__ in a record',
    ...put,
    body: '{"__proto__":1}',
    status: 400,
    code: 'invalid_request',
  },
  { what: '65 levels', ...post, body: echo(nested(65)), status: 400, code: 'invalid_request' },
  {
    what: '100,000 levels',
    ...post,
    body: echo(nested(100_000)),
    status: 400,
    code: 'invalid_request',
  },
  { what: '65 levels in a record', ...put, body: nested(65), status: 400, code: 'invalid_request' },
  { what: 'infinite number', ...put, body: '1e999', status: 400, code: 'invalid_request' },
  {
    what: 'input too large',
    ...post,
    body: echo(`"${'x'.repeat(256 * 1024)}"`),
    status: 413,
    code: 'payload_too_large',
  },
  {
    what: 'body too large',
    ...post,
    body: echo(`"${'x'.repeat(1024 * 1024)}"`),
    status: 413,
    code: 'payload_too_large',
  },
  {
    what: 'record too large',
    ...put,
    body: `"${'x'.repeat(256 * 1024)}"`,
    status: 413,
    code: 'payload_too_large',
  },
  {
    what: 'record that grows',
    ...put,
    body: `[${'1e20,'.repeat(20_000)}1]`,
    status: 413,
    code: 'payload_too_large',
  },
  { what: 'empty record', ...put, headers: {}, status: 400, code: 'invalid_json' },
  {
    what: 'unknown service',
    ...post,
    body: '{"service":"no.such"}',
    status: 422,
    code: 'unknown_service',
  },
  { what: 'unknown job', ...post, body: '{"job":"no-such"}', status: 422, code: 'unknown_job' },
  {
    what: 'service of a prototype',
    ...post,
    body: '{"service":"constructor"}',
    status: 422,
    code: 'unknown_service',
  },
  {
    what: 'schema',
    ...post,
    body: '{"service":"test.sleep","input":{"ms":"1"}}',
    status: 422,
    code: 'schema_mismatch',
  },
  { what: 'no steps', ...post, body: '{"steps":{}}', status: 400, code: 'invalid_request' },
  {
    what: 'cycle',
    ...post,
    body: '{"steps":{"a":{"service":"test.echo","needs":["a"]}}}',
    status: 400,
    code: 'invalid_job',
  },
  {
    what: 'too late',
    ...post,
    body: '{"service":"test.echo","notAfter":"2001-01-01T00:00:00Z"}',
    status: 422,
    code: 'too_late',
  },
  {
    what: 'notAfter',
    ...post,
    body: '{"service":"test.echo","notAfter":"tomorrow"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'empty key',
    ...post,
    headers: { ...JSON_TYPE, 'idempotency-key': '' },
    body: '{"service":"test.echo"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'long key',
    ...post,
    headers: { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(513) },
    body: '{"service":"test.echo"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'two keys',
    ...post,
    headers: { ...JSON_TYPE, 'idempotency-key': 'a' },
    body: '{"service":"test.echo","idempotencyKey":"b"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'batch with a key',
    ...post,
    path: '/v1/jobs/batch',
    headers: { ...JSON_TYPE, 'idempotency-key': 'a' },
    body: '{"jobs":[]}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'batch of 1,001',
    ...post,
    path: '/v1/jobs/batch',
    body: `{"jobs":[${'0,'.repeat(1000)}0]}`,
    status: 413,
    code: 'payload_too_large',
  },
  {
    what: 'batch of nothing',
    ...post,
    path: '/v1/jobs/batch',
    body: '{}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'batch with more',
    ...post,
    path: '/v1/jobs/batch',
    body: '{"jobs":[],"atomic":true}',
    status: 400,
    code: 'unknown_field',
  },
  { what: 'no ID', path: '/v1/jobs/nonsense', status: 404, code: 'job_not_found' },
  { what: 'upper case ID', path: `/v1/jobs/${'A'.repeat(32)}`, status: 404, code: 'job_not_found' },
  { what: 'no such job', path: `/v1/jobs/${'0'.repeat(32)}`, status: 404, code: 'job_not_found' },
  {
    what: 'waiting for no job',
    path: `/v1/jobs/${'0'.repeat(32)}?wait=30s`,
    status: 404,
    code: 'job_not_found',
  },
  {
    what: 'wait',
    path: `/v1/jobs/${'0'.repeat(32)}?wait=long`,
    status: 400,
    code: 'invalid_request',
  },
  { what: 'limit 0', path: '/v1/jobs?limit=0', status: 400, code: 'invalid_request' },
  { what: 'limit 1001', path: '/v1/jobs?limit=1001', status: 400, code: 'invalid_request' },
  { what: 'limit as text', path: '/v1/jobs?limit=ten', status: 400, code: 'invalid_request' },
  { what: 'two limits', path: '/v1/jobs?limit=1&limit=2', status: 400, code: 'invalid_request' },
  { what: 'status', path: '/v1/jobs?status=sleeping', status: 400, code: 'invalid_request' },
  { what: 'createdAfter', path: '/v1/jobs?createdAfter=now', status: 400, code: 'invalid_request' },
  { what: 'parameter', path: '/v1/jobs?colour=red', status: 400, code: 'unknown_field' },
  { what: 'cursor', path: '/v1/jobs?cursor=AAAA', status: 400, code: 'invalid_cursor' },
  {
    what: 'cursor of another list',
    path: `/v1/dht?cursor=${Buffer.from('{"createdAt":1,"id":"a"}').toString('base64url')}`,
    status: 400,
    code: 'invalid_cursor',
  },
  { what: 'bad escape', path: '/v1/dht/%zz', status: 400, code: 'malformed_request' },
  { what: 'not UTF-8 in the path', path: '/v1/dht/%ff', status: 400, code: 'malformed_request' },
  { what: 'long key', path: `/v1/dht/${'k'.repeat(513)}`, status: 400, code: 'invalid_key' },
  { what: 'long URL', path: `/v1/jobs?job=${'x'.repeat(9000)}`, status: 414, code: 'uri_too_long' },
  {
    what: 'weak tag',
    ...put,
    headers: { ...JSON_TYPE, 'if-match': 'W/"1"' },
    body: '1',
    status: 400,
    code: 'invalid_condition',
  },
  {
    what: 'tag without quotes',
    ...put,
    headers: { ...JSON_TYPE, 'if-match': '1' },
    body: '1',
    status: 400,
    code: 'invalid_condition',
  },
  {
    what: 'two tags',
    ...put,
    headers: { ...JSON_TYPE, 'if-match': '"1", "2"' },
    body: '1',
    status: 400,
    code: 'invalid_condition',
  },
  {
    what: 'both conditions',
    ...put,
    headers: { ...JSON_TYPE, 'if-match': '"1"', 'if-none-match': '*' },
    body: '1',
    status: 400,
    code: 'invalid_condition',
  },
  {
    what: 'tag of nobody',
    ...put,
    headers: { ...JSON_TYPE, 'if-match': '"zebra"' },
    body: '1',
    status: 412,
    code: 'version_conflict',
  },
  {
    what: 'cancel of nothing',
    ...post,
    path: `/v1/jobs/${'0'.repeat(32)}/cancel`,
    body: '{}',
    status: 404,
    code: 'job_not_found',
  },
  {
    what: 'cancel by text',
    ...post,
    path: `/v1/jobs/${'0'.repeat(32)}/cancel`,
    body: '{"compensate":"yes"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'cancel with more',
    ...post,
    path: `/v1/jobs/${'0'.repeat(32)}/cancel`,
    body: '{"now":true}',
    status: 400,
    code: 'unknown_field',
  },
  {
    what: 'skip without reason',
    ...post,
    path: `/v1/jobs/${'0'.repeat(32)}/skip`,
    body: '{"step":"a"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'retry of nothing',
    ...post,
    path: `/v1/jobs/${'0'.repeat(32)}/retry`,
    headers: {},
    status: 404,
    code: 'job_not_found',
  },
  { what: 'ID', path: '/v1/ids/xyz', status: 400, code: 'invalid_id' },
  { what: 'owner of nothing', path: '/v1/ring/owner', status: 400, code: 'invalid_request' },
  {
    what: 'owner of two',
    path: `/v1/ring/owner?key=a&id=${'0'.repeat(32)}`,
    status: 400,
    code: 'invalid_request',
  },
]

for (const { what, method = 'GET', path = '/', headers = {}, body, status, code } of HOSTILE) {
  test(`${status} ${code}: ${what} (${method} ${path.slice(0, 40)})`, async () => {
    const answer = await fetch(node.url + path, { method, headers, body: body ?? null })
    const problem: ReturnType<typeof JSON.parse> = await answer.json()
    assert.equal(answer.status, status, JSON.stringify(problem))
    assert.equal(problem.code, code)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
    assert.equal(problem.status, status)
    assert.ok(problem.title.length > 0 && problem.detail.length > 0 && problem.type.length > 0)
    if (status === 405) assert.ok(answer.headers.get('allow'), 'Allow is given')
    if (status === 400 && problem.errors !== undefined) {
      for (const error of problem.errors) assert.equal(typeof error.path, 'string')
    }
  })
}

const RAW: readonly { what: string; bytes: string; status: number; code: string }[] = [
  { what: 'no HTTP', bytes: 'EHLO example\r\n\r\n', status: 400, code: 'malformed_request' },
  {
    what: 'a TLS hello',
    bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'a header of 40 KiB',
    bytes: `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_960)}\r\n\r\n`,
    status: 431,
    code: 'headers_too_large',
  },
  {
    what: 'a negative length',
    bytes: 'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'two lengths',
    bytes: 'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'length and chunks',
    bytes:
      'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'a broken chunk',
    bytes:
      'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'a huge length',
    bytes:
      'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n',
    status: 413,
    code: 'payload_too_large',
  },
]

for (const { what, bytes, status, code } of RAW) {
  test(`bytes of no good request are answered: ${what}`, async () => {
    const answer = await node.raw(bytes)
    assert.equal(answer.status, status, answer.head)
    assert.equal(answer.body?.code, code)
    assert.match(answer.head, /content-type: application\/problem\+json/i)
  })
}

test('64 levels of nesting and a value of just under the limit are taken', async () => {
  const deep = await node.rest.submit({ service: 'test.echo', input: JSON.parse(nested(64)) })
  assert.equal(deep.status, 202)
  const value = 'x'.repeat(256 * 1024 - 2)
  assert.equal((await node.rest.call('PUT', '/v1/dht/large', { body: value })).status, 201)
})

test('garbage bodies never cause a 5xx', async () => {
  const paths = ['/v1/jobs', '/v1/jobs/batch', `/v1/jobs/${'0'.repeat(32)}/cancel`]
  const body = fc.oneof(
    fc.json({ maxDepth: 8 }),
    fc.string(),
    fc.record({ steps: fc.dictionary(fc.string(), fc.jsonValue()) }).map((v) => JSON.stringify(v)),
    fc
      .record({ service: fc.constant('test.echo'), input: fc.jsonValue() })
      .map((v) => JSON.stringify(v)),
    fc
      .record({
        steps: fc.dictionary(
          fc.constantFrom('a', 'b', 'constructor'),
          fc.record(
            {
              service: fc.constantFrom('test.echo', 'x'),
              needs: fc.array(fc.constantFrom('a', 'b', 'toString')),
              input: fc.oneof(fc.jsonValue(), fc.record({ $from: fc.string() })),
              forEach: fc.oneof(fc.array(fc.integer(), { maxLength: 3 }), fc.jsonValue()),
              retry: fc.jsonValue(),
              timeout: fc.oneof(fc.integer(), fc.string()),
            },
            { requiredKeys: ['service'] },
          ),
        ),
      })
      .map((v) => JSON.stringify(v)),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), body, async (path, text) => {
      const answer = await fetch(node.url + path, {
        method: 'POST',
        headers: JSON_TYPE,
        body: text,
      })
      await answer.text()
      assert.ok(answer.status < 500, `${path} ${answer.status} ${text}`)
    }),
    { numRuns: 400 },
  )
})
