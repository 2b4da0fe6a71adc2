/** Requests that nobody should send, each with the answer that it deserves. */

export interface Hostile {
  readonly what: string
  readonly request: HostileRequest
  /** Status and code: `400 invalid_json`. */
  readonly answer: string
}

export interface HostileRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

const JSON_TYPE = { 'content-type': 'application/json' }
const SUBMIT = { method: 'POST', path: '/v1/jobs', headers: JSON_TYPE }
const WRITE = { method: 'PUT', path: '/v1/dht/hostile', headers: JSON_TYPE }

function any(what: string, request: HostileRequest, answer: string): Hostile {
  return { what, request, answer }
}

function read(what: string, path: string, answer: string): Hostile {
  return { what, request: { path }, answer }
}

function submit(what: string, body: string | Uint8Array, answer: string): Hostile {
  return { what, request: { ...SUBMIT, body }, answer }
}

function write(what: string, body: string, answer: string): Hostile {
  return { what, request: { ...WRITE, body }, answer }
}

/** JSON of that many levels. */
export function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

const echo = (input: string): string => `{"service":"test.echo","input":${input}}`

export const HOSTILE: readonly Hostile[] = [
  read('no route', '/v1/nothing', '404 route_not_found'),
  any('no route, with a body', { method: 'POST', path: '/x', body: 'x' }, '404 route_not_found'),
  any('method', { method: 'DELETE', path: '/v1/jobs' }, '405 method_not_allowed'),
  any('method', { method: 'PROPFIND', path: '/livez' }, '405 method_not_allowed'),
  read('reading the batch', '/v1/jobs/batch', '405 method_not_allowed'),
  any(
    'no content type',
    { ...SUBMIT, headers: {}, body: new Uint8Array([123, 125]) },
    '415 unsupported_media_type',
  ),
  any(
    'form',
    { ...SUBMIT, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' },
    '415 unsupported_media_type',
  ),
  any(
    'broken content type',
    { ...SUBMIT, headers: { 'content-type': ';;;' }, body: '{}' },
    '415 unsupported_media_type',
  ),
  ...['latin1', 'utf-16', '"ISO-8859-1"'].map((charset) =>
    any(
      `charset ${charset}`,
      {
        ...SUBMIT,
        headers: { 'content-type': `application/json; charset=${charset}` },
        body: '{}',
      },
      '415 unsupported_media_type',
    ),
  ),
  any(
    'compressed body',
    { ...SUBMIT, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: '{}' },
    '415 unsupported_media_type',
  ),
  submit('broken JSON', '{"service":', '400 invalid_json'),
  submit('not UTF-8', new Uint8Array([34, 0xff, 34]), '400 invalid_json'),
  submit('no body', '', '400 invalid_json'),
  any('no body and no type', { ...SUBMIT, headers: {} }, '400 invalid_json'),
  any('batch without a body', { method: 'POST', path: '/v1/jobs/batch' }, '400 invalid_json'),
  any('action without a body', { method: 'POST', path: '/v1/jobs/actions' }, '400 invalid_json'),
  submit('bare null', 'null', '400 invalid_request'),
  submit('array', '[]', '400 invalid_request'),
  submit('unknown member', '{"service":"test.echo","colour":1}', '400 unknown_field'),
  submit('__proto__', echo('{"a":{"__proto__":{"x":1}}}'), '400 invalid_request'),
  submit('escaped __proto__', echo('{"\\u005f_proto__":1}'), '400 invalid_request'),
  write('__proto__ in a record', '{"__proto__":1}', '400 invalid_request'),
  submit('65 levels', echo(nested(65)), '400 invalid_request'),
  submit('100,000 levels', echo(nested(100_000)), '400 invalid_request'),
  write('65 levels in a record', nested(65), '400 invalid_request'),
  write('infinite number', '1e999', '400 invalid_request'),
  submit('input too large', echo(`"${'x'.repeat(256 * 1024)}"`), '413 payload_too_large'),
  submit('body too large', echo(`"${'x'.repeat(1024 * 1024)}"`), '413 payload_too_large'),
  write('record too large', `"${'x'.repeat(256 * 1024)}"`, '413 payload_too_large'),
  write('record that grows', `[${'1e20,'.repeat(20_000)}1]`, '413 payload_too_large'),
  any('empty record', { ...WRITE, headers: {} }, '400 invalid_json'),
  submit('unknown service', '{"service":"no.such"}', '422 unknown_service'),
  submit('unknown job', '{"job":"no-such"}', '422 unknown_job'),
  submit('service of a prototype', '{"service":"constructor"}', '422 unknown_service'),
  submit('schema', '{"service":"test.sleep","input":{"ms":"1"}}', '422 schema_mismatch'),
  submit('no steps', '{"steps":{}}', '400 invalid_request'),
  submit('cycle', '{"steps":{"a":{"service":"test.echo","needs":["a"]}}}', '400 invalid_job'),
  submit('too late', '{"service":"test.echo","notAfter":"2001-01-01T00:00:00Z"}', '422 too_late'),
  submit('notAfter', '{"service":"test.echo","notAfter":"tomorrow"}', '400 invalid_request'),
  any(
    'empty key',
    {
      ...SUBMIT,
      headers: { ...JSON_TYPE, 'idempotency-key': '' },
      body: '{"service":"test.echo"}',
    },
    '400 invalid_request',
  ),
  any(
    'long key',
    {
      ...SUBMIT,
      headers: { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(513) },
      body: '{"service":"test.echo"}',
    },
    '400 invalid_request',
  ),
  submit(
    'member key of 514 bytes in 257 characters',
    `{"service":"test.echo","idempotencyKey":"${'ü'.repeat(257)}"}`,
    '400 invalid_request',
  ),
  any(
    'two keys',
    {
      ...SUBMIT,
      headers: { ...JSON_TYPE, 'idempotency-key': 'a' },
      body: '{"service":"test.echo","idempotencyKey":"b"}',
    },
    '400 invalid_request',
  ),
  any(
    'batch with a key',
    {
      ...SUBMIT,
      path: '/v1/jobs/batch',
      headers: { ...JSON_TYPE, 'idempotency-key': 'a' },
      body: '{"jobs":[]}',
    },
    '400 invalid_request',
  ),
  any(
    'batch of 1,001',
    { ...SUBMIT, path: '/v1/jobs/batch', body: `{"jobs":[${'0,'.repeat(1000)}0]}` },
    '413 payload_too_large',
  ),
  any('batch of nothing', { ...SUBMIT, path: '/v1/jobs/batch', body: '{}' }, '400 invalid_request'),
  any(
    'batch with more',
    { ...SUBMIT, path: '/v1/jobs/batch', body: '{"jobs":[],"atomic":true}' },
    '400 unknown_field',
  ),
  read('no ID', '/v1/jobs/nonsense', '404 job_not_found'),
  read('upper case ID', `/v1/jobs/${'A'.repeat(32)}`, '404 job_not_found'),
  read('no such job', `/v1/jobs/${'0'.repeat(32)}`, '404 job_not_found'),
  read('waiting for no job', `/v1/jobs/${'0'.repeat(32)}?wait=30s`, '404 job_not_found'),
  read('wait', `/v1/jobs/${'0'.repeat(32)}?wait=long`, '400 invalid_request'),
  read('limit 0', '/v1/jobs?limit=0', '400 invalid_request'),
  read('limit 1001', '/v1/jobs?limit=1001', '400 invalid_request'),
  read('limit as text', '/v1/jobs?limit=ten', '400 invalid_request'),
  read('two limits', '/v1/jobs?limit=1&limit=2', '400 invalid_request'),
  read('status', '/v1/jobs?status=sleeping', '400 invalid_request'),
  read('createdAfter', '/v1/jobs?createdAfter=now', '400 invalid_request'),
  read('parameter', '/v1/jobs?colour=red', '400 unknown_field'),
  read('cursor', '/v1/jobs?cursor=AAAA', '400 invalid_cursor'),
  read('long cursor', `/v1/jobs?cursor=${'A'.repeat(4000)}`, '400 invalid_cursor'),
  read(
    'cursor of another list',
    `/v1/dht?cursor=${Buffer.from('{"createdAt":1,"id":"a"}').toString('base64url')}`,
    '400 invalid_cursor',
  ),
  read('bad escape', '/v1/dht/%zz', '400 malformed_request'),
  read('not UTF-8 in the path', '/v1/dht/%ff', '400 malformed_request'),
  read('long key', `/v1/dht/${'k'.repeat(513)}`, '400 invalid_key'),
  read('long URL', `/v1/jobs?job=${'x'.repeat(9000)}`, '414 uri_too_long'),
  any(
    'weak tag',
    { ...WRITE, headers: { ...JSON_TYPE, 'if-match': 'W/"1"' }, body: '1' },
    '400 invalid_condition',
  ),
  any(
    'tag without quotes',
    { ...WRITE, headers: { ...JSON_TYPE, 'if-match': '1' }, body: '1' },
    '400 invalid_condition',
  ),
  any(
    'two tags',
    { ...WRITE, headers: { ...JSON_TYPE, 'if-match': '"1", "2"' }, body: '1' },
    '400 invalid_condition',
  ),
  any(
    'both conditions',
    { ...WRITE, headers: { ...JSON_TYPE, 'if-match': '"1"', 'if-none-match': '*' }, body: '1' },
    '400 invalid_condition',
  ),
  any(
    'tag of nobody',
    { ...WRITE, headers: { ...JSON_TYPE, 'if-match': '"zebra"' }, body: '1' },
    '412 version_conflict',
  ),
  any(
    'cancel of nothing',
    { ...SUBMIT, path: `/v1/jobs/${'0'.repeat(32)}/cancel`, body: '{}' },
    '404 job_not_found',
  ),
  any(
    'cancel by text',
    { ...SUBMIT, path: `/v1/jobs/${'0'.repeat(32)}/cancel`, body: '{"compensate":"yes"}' },
    '400 invalid_request',
  ),
  any(
    'cancel with more',
    { ...SUBMIT, path: `/v1/jobs/${'0'.repeat(32)}/cancel`, body: '{"now":true}' },
    '400 unknown_field',
  ),
  any(
    'skip without reason',
    { ...SUBMIT, path: `/v1/jobs/${'0'.repeat(32)}/skip`, body: '{"step":"a"}' },
    '400 invalid_request',
  ),
  any(
    'retry of nothing',
    { ...SUBMIT, path: `/v1/jobs/${'0'.repeat(32)}/retry`, headers: {} },
    '404 job_not_found',
  ),
  read('ID', '/v1/ids/xyz', '400 invalid_id'),
  read('owner of nothing', '/v1/ring/owner', '400 invalid_request'),
  read('owner of a long key', `/v1/ring/owner?key=${'k'.repeat(513)}`, '400 invalid_key'),
  read('owner of an empty key', '/v1/ring/owner?key=', '400 invalid_key'),
  read('owner of two', `/v1/ring/owner?key=a&id=${'0'.repeat(32)}`, '400 invalid_request'),
]

function submission(headers: string): string {
  const body = echo('1')
  return (
    'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${body.length}\r\n${headers}\r\n${body}`
  )
}

/** Bytes for the bare socket. */
export const RAW: readonly { what: string; bytes: string; status: number; code: string }[] = [
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
  {
    what: 'no Host',
    bytes: 'GET /livez HTTP/1.1\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'a wrong escape in the path',
    bytes: 'GET /v1/dht/%zz HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
    code: 'malformed_request',
  },
  {
    what: 'an expectation that nobody knows',
    bytes: 'GET /livez HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n',
    status: 417,
    code: 'expectation_failed',
  },
  {
    what: 'two idempotency keys',
    bytes: submission('Idempotency-Key: a\r\nIdempotency-Key: b\r\n'),
    status: 400,
    code: 'invalid_request',
  },
  {
    what: 'an empty idempotency key',
    bytes: submission('Idempotency-Key:\r\n'),
    status: 400,
    code: 'invalid_request',
  },
]
