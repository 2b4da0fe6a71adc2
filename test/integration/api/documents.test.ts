import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ApiNode } from './api-node.js'

const node = ApiNode.forThisFile()

/** This file runs from test/dist/integration/api. */
const ERRORS_PAGE = '../../../../core/docs/reference/errors.md'

/** Operations whose body the documents page offers to send as it is. */
const SHOWN = [
  ['POST', '/v1/jobs'],
  ['POST', '/v1/jobs/batch'],
  ['POST', '/v1/jobs/actions'],
  ['PUT', '/v1/dht/{key}'],
] as const

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const

const UNLISTED = { service: 'test.echo', labels: { of: 'unlisted' } }

/** Bodies that would do something, so that only the query can be what is refused. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /v1/jobs': UNLISTED,
  'POST /v1/jobs/batch': { jobs: [UNLISTED] },
  'POST /v1/jobs/actions': { action: 'cancel', filter: {}, dryRun: true },
  'POST /v1/jobs/{id}/fail': { reason: 'a test' },
  'POST /v1/jobs/{id}/skip': { step: 'main', reason: 'a test' },
  'PUT /v1/dht/{key}': 1,
}

const CALLS = ['GET', 'PUT', 'POST', 'DELETE'] as const

/** Query parameters that the document lists for reading a path. */
function queryOf({ get }: ReturnType<typeof JSON.parse>): readonly { readonly name: string }[] {
  const parameters: readonly { readonly in: string; readonly name: string }[] =
    get?.parameters ?? []
  return parameters.filter((each) => each.in === 'query')
}

async function openApi() {
  const { status, body } = await node.rest.call('GET', '/openapi.json')
  assert.equal(status, 200)
  return body
}

test('the OpenAPI document is of version 3.1 and every reference in it leads somewhere', async () => {
  const document = await openApi()
  assert.equal(document.openapi, '3.1.0')
  const references = [
    ...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g),
  ]
  assert.ok(references.length > 20)
  for (const [, name = ''] of references) assert.ok(document.components.schemas[name], name)
  assert.doesNotMatch(JSON.stringify(document), /"\$ref":"(?!#\/components)/)
})

test('the OpenAPI document lists exactly the routes of the first version', async () => {
  const { paths } = await openApi()
  const listed = Object.entries<object>(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(listed.sort(), [
    'DELETE /v1/dht/{key}',
    'DELETE /v1/jobs/{id}',
    'GET /livez',
    'GET /metrics',
    'GET /readyz',
    'GET /v1/dht',
    'GET /v1/dht/{key}',
    'GET /v1/ids/{id}',
    'GET /v1/job-definitions',
    'GET /v1/jobs',
    'GET /v1/jobs/counts',
    'GET /v1/jobs/{id}',
    'GET /v1/jobs/{id}/events',
    'GET /v1/jobs/{id}/explain',
    'GET /v1/jobs/{id}/history',
    'GET /v1/jobs/{id}/logs',
    'GET /v1/jobs/{id}/steps/{name}',
    'GET /v1/jobs/{id}/steps/{name}/items',
    'GET /v1/ring',
    'GET /v1/ring/owner',
    'GET /v1/sd',
    'GET /v1/services',
    'POST /v1/jobs',
    'POST /v1/jobs/actions',
    'POST /v1/jobs/batch',
    'POST /v1/jobs/{id}/cancel',
    'POST /v1/jobs/{id}/fail',
    'POST /v1/jobs/{id}/resubmit',
    'POST /v1/jobs/{id}/retry',
    'POST /v1/jobs/{id}/skip',
    'PUT /v1/dht/{key}',
  ])
})

test('every operation of the document has a name of its own and tells its headers', async () => {
  const { paths } = await openApi()
  const operations: ReturnType<typeof JSON.parse>[] = Object.values<object>(paths).flatMap((each) =>
    Object.values(each),
  )
  const names = operations.map(({ operationId }) => operationId)
  assert.equal(new Set(names).size, names.length)
  for (const { operationId, responses } of operations) {
    assert.match(operationId, /^[a-z][A-Za-z]+$/)
    for (const answer of Object.values<ReturnType<typeof JSON.parse>>(responses)) {
      assert.ok(answer.headers['Gyre-Served-By'].schema, operationId)
    }
    assert.ok(responses.default.headers['Retry-After'])
  }
})

test('the document tells the headers that clients send and get', async () => {
  const { paths } = await openApi()
  const sent = ({ parameters = [] }: ReturnType<typeof JSON.parse>): string[] =>
    parameters
      .filter((each: { in: string }) => each.in === 'header')
      .map((each: { name: string }) => each.name)
      .sort()
  const got = (answer: ReturnType<typeof JSON.parse>): string[] => Object.keys(answer.headers)
  const submit = paths['/v1/jobs'].post
  assert.deepEqual(sent(submit), ['Idempotency-Key', 'Prefer', 'traceparent'])
  for (const name of ['Location', 'Preference-Applied', 'Idempotency-Replayed']) {
    assert.ok(got(submit.responses['202']).includes(name), name)
  }
  const { put, get, delete: remove } = paths['/v1/dht/{key}']
  assert.deepEqual(sent(put), ['Idempotency-Key', 'If-Match', 'If-None-Match'])
  assert.deepEqual(sent(remove), ['Idempotency-Key', 'If-Match'])
  assert.ok(got(put.responses['201']).includes('ETag'))
  assert.ok(got(get.responses['200']).includes('Gyre-Staleness-Ms'))
  assert.deepEqual(sent(paths['/v1/jobs/{id}/cancel'].post), ['Idempotency-Key'])
  assert.deepEqual(Object.keys(paths['/metrics'].get.responses['200'].content), ['text/plain'])
})

test('the document lists every code that the reference lists for problems and jobs', async () => {
  const text = JSON.stringify((await openApi()).components.schemas)
  const page = await readFile(new URL(ERRORS_PAGE, import.meta.url), 'utf8')
  const [, problems = '', jobs = ''] = page.split('\n## ')
  const codes = [...`${problems}${jobs}`.matchAll(/^\| `([a-z_]+)` \|/gm)].map(
    ([, code = '']) => code,
  )
  assert.ok(codes.length > 40)
  const missing = codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(text))
  assert.deepEqual(missing, [], 'Remedy: add it to core/src/api/contract/job-error-codes.ts')
})

test('methods that the document does not list are refused by the server', async () => {
  const { paths } = await openApi()
  for (const [path, operations] of Object.entries<object>(paths)) {
    const url = path.replace('{id}', '0'.repeat(32)).replace(/\{\w+\}/, 'x')
    for (const method of METHODS.filter((each) => !(each in operations))) {
      const answer = await fetch(node.url + url, { method: method.toUpperCase() })
      const { code } = JSON.parse(await answer.text())
      assert.deepEqual([answer.status, code], [405, 'method_not_allowed'], `${method} ${path}`)
      const allowed = Object.keys(operations).map((each) => each.toUpperCase())
      const allow = answer.headers.get('allow')?.split(', ') ?? []
      assert.deepEqual(allow.filter((each) => each !== 'HEAD').sort(), allowed.sort(), path)
    }
  }
})

test('every operation refuses query parameters that the document does not list, and does nothing', async () => {
  const { paths } = await openApi()
  for (const [path, operations] of Object.entries<object>(paths)) {
    if (!path.startsWith('/v1/')) continue
    const url = path.replace('{id}', '0'.repeat(32)).replace(/\{\w+\}/, 'unlisted')
    for (const method of CALLS.filter((each) => each.toLowerCase() in operations)) {
      const body = BODIES[`${method} ${path}`]
      const answer = await node.rest.call(method, `${url}?unlisted=1`, { body })
      assert.deepEqual(
        [answer.status, answer.body.code],
        [400, 'unknown_field'],
        `${method} ${url}`,
      )
    }
    for (const { name } of queryOf(operations)) {
      const listed = await node.rest.call('GET', `${url}?${name}=1`)
      assert.notEqual(listed.body.code, 'unknown_field', `${url}?${name}`)
    }
  }
  assert.equal((await node.rest.call('GET', '/v1/dht/unlisted')).status, 404)
  const { body } = await node.rest.call('GET', '/v1/jobs?label.of=unlisted')
  assert.deepEqual(body.items, [])
})

test('the submission schema of the document refuses what the server refuses', async () => {
  const { paths } = await openApi()
  const { schema } = paths['/v1/jobs'].post.requestBody.content['application/json']
  assert.equal(schema.anyOf.length, 3)
  for (const shape of schema.anyOf) assert.equal(shape.additionalProperties, false)
})

test('the documentation page loads nothing from elsewhere', async () => {
  const page = await (await fetch(`${node.url}/docs/`)).text()
  assert.match(page, /swagger-ui/)
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//)
  const script = await fetch(`${node.url}/docs/static/swagger-ui-bundle.js`)
  assert.equal(script.status, 200)
})

test('health tells alive and ready', async () => {
  const live = await node.rest.call('GET', '/livez')
  const ready = await node.rest.call('GET', '/readyz')
  assert.deepEqual([live.status, ready.status], [200, 200])
})

test('metrics are Prometheus text with every known job status from the start', async () => {
  await node.rest.submit({ service: 'test.echo' }, undefined, { prefer: 'wait=20' })
  const { headers, body } = await node.rest.call('GET', '/metrics')
  assert.match(String(headers['content-type']), /^text\/plain/)
  for (const status of ['queued', 'running', 'failed', 'compensation_failed']) {
    assert.match(body, new RegExp(`^gyre_jobs\\{status="${status}"\\} 0$`, 'm'))
  }
  assert.match(body, /^gyre_jobs\{status="succeeded"\} 1$/m)
  assert.match(
    body,
    /^gyre_http_requests_total\{method="POST",route="\/v1\/jobs",status="200"\} 1$/m,
  )
  assert.match(body, /^gyre_serving 1$/m)
  assert.match(body, /^gyre_log_syncs_total [1-9]/m)
  assert.doesNotMatch(body, /[0-9a-f]{32}/, 'no IDs in labels')
})

test('metrics tell of each thread how late its event loop is', async () => {
  const run = (service: string, input: object) =>
    node.rest.submit({ service, input }, undefined, { prefer: 'wait=20' })
  await run('test.block', { ms: 1_500 })
  await run('test.echo', {})
  const { body } = await node.rest.call('GET', '/metrics')
  const value = (metric: string): number => {
    const line = String(body)
      .split('\n')
      .find((each) => each.startsWith(`gyre_event_loop_delay_seconds_${metric} `))
    return Number(line?.split(' ').at(-1))
  }
  for (const thread of ['api', 'engine', 'ledger', 'services']) {
    assert.ok(value(`count{thread="${thread}"}`) > 0, thread)
  }
  const all = value('bucket{thread="services",le="+Inf"}')
  assert.ok(all > value('bucket{thread="services",le="1"}'), 'the blocked loop was late once')
  assert.ok(value('sum{thread="services"}') > 1)
})

test('the ring of one node owns every arc without a gap', async () => {
  const { body } = await node.rest.call('GET', '/v1/ring')
  assert.equal(body.nodes.length, 1)
  assert.equal(body.nodes[0].state, 'up')
  assert.deepEqual(body.health, { healthy: body.arcs.length, underReplicated: 0, unavailable: 0 })
  assert.equal(body.arcs[0].from, '0'.repeat(32))
  for (const [index, arc] of body.arcs.entries()) {
    assert.equal(arc.arc, index)
    assert.equal(arc.to, body.arcs[(index + 1) % body.arcs.length].from)
    assert.equal(arc.owner, body.nodes[0].id)
  }
})

test('Prometheus discovers the node at an address that serves its metrics', async () => {
  const { headers, body } = await node.rest.call('GET', '/v1/sd')
  assert.match(String(headers['content-type']), /^application\/json/)
  const [{ targets, labels }] = body
  const { body: ring } = await node.rest.call('GET', '/v1/ring')
  assert.deepEqual(
    [labels.gyre_node, labels.gyre_name, labels.gyre_cluster],
    [ring.nodes[0].id, ring.nodes[0].name, ring.cluster],
  )
  const answer = await fetch(`http://${targets[0]}/metrics`)
  assert.match(await answer.text(), /^gyre_serving 1$/m)
})

test('services and job definitions are listed with their schemas', async () => {
  const services = await node.rest.call('GET', '/v1/services')
  const sleep = services.body.items.find((item: { name: string }) => item.name === 'test.sleep')
  assert.deepEqual(sleep.input.required, ['ms'])
  assert.equal(sleep.nodes.length, 1)
  const jobs = await node.rest.call('GET', '/v1/job-definitions')
  assert.equal(jobs.status, 200)
  assert.ok(Array.isArray(jobs.body.items))
})

test('services and job definitions are read page by page, each once and in the order of their names', async () => {
  for (const path of ['/v1/services', '/v1/job-definitions']) {
    const { body: whole } = await node.rest.call('GET', `${path}?limit=1000`)
    assert.equal(whole.nextCursor, null)
    const names: string[] = whole.items.map((item: { name: string }) => item.name)
    assert.deepEqual(names, [...names].sort())
    const read: string[] = []
    for (let cursor: string | null = ''; cursor !== null && read.length <= names.length; ) {
      const { body } = await node.rest.call('GET', `${path}?limit=1${cursor}`)
      assert.equal(body.items.length, 1)
      read.push(body.items[0].name)
      cursor = body.nextCursor === null ? null : `&cursor=${body.nextCursor}`
    }
    assert.deepEqual(read, names)
    assert.ok(names.length > 1)
  }
  const { body } = await node.rest.call('GET', '/v1/services?limit=1')
  const elsewhere = `/v1/job-definitions?cursor=${body.nextCursor}`
  assert.equal((await node.rest.call('GET', elsewhere)).body.code, 'invalid_cursor')
})

test('what may be stale says how stale it is', async () => {
  const { body: job } = await node.rest.submit({ service: 'test.echo' }, undefined, {
    prefer: 'wait=20',
  })
  for (const path of [
    '/v1/jobs',
    '/v1/dht',
    `/v1/jobs/${job.id}`,
    `/v1/jobs/${job.id}/history`,
    `/v1/jobs/${job.id}/steps/main/items`,
    `/v1/jobs/${job.id}/explain`,
    '/v1/services',
  ]) {
    const { status, headers } = await node.rest.call('GET', `${path}?consistency=stale`)
    assert.equal(status, 200, path)
    assert.match(String(headers['gyre-applied-index']), /^\d+$/, path)
    assert.match(String(headers['gyre-staleness-ms']), /^\d+$/, path)
    const plain = await node.rest.call('GET', path)
    assert.equal(plain.headers['gyre-applied-index'], undefined)
  }
})

test('every body that the documents page offers does what its operation promises', async () => {
  const { paths } = await openApi()
  for (const [method, path] of SHOWN) {
    const examples = examplesOf(paths[path][method.toLowerCase()])
    assert.ok(examples.length > 0, `${method} ${path} shows no body`)
    for (const body of examples) {
      const answer = await node.rest.call(method, path.replace('{key}', 'shown'), { body })
      const said = JSON.stringify(answer.body)
      assert.ok(answer.status >= 200 && answer.status < 300, `${method} ${path}: ${said}`)
      assert.doesNotMatch(said, /"error":\{/)
    }
  }
})

function examplesOf({ requestBody }: ReturnType<typeof JSON.parse>): readonly unknown[] {
  const { example, examples } = requestBody.content['application/json']
  if (examples === undefined) return example === undefined ? [] : [example]
  return Object.values<{ readonly value: unknown }>(examples).map((each) => each.value)
}

test('an input that does not fit says where the schema is shown', async () => {
  const told = async (body: object): Promise<string> =>
    (await node.rest.call('POST', '/v1/jobs', { body })).body.detail
  assert.match(await told({ job: 'order', input: {} }), /GET \/v1\/job-definitions shows/)
  assert.match(await told({ service: 'test.sleep', input: {} }), /GET \/v1\/services shows/)
})
