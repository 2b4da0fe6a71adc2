import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ApiNode } from './api-node.js'
import { HOSTILE, nested, RAW } from './hostile-requests.js'

/** Requests that nobody should send. Each has its status and code, and none of them is a 5xx. */

const node = ApiNode.forThisFile()

const JSON_TYPE = { 'content-type': 'application/json' }

for (const { what, request, answer: expected } of HOSTILE) {
  const { method = 'GET', path = '/', headers = {}, body } = request
  test(`${expected}: ${what} (${method} ${path.slice(0, 40)})`, async () => {
    const answer = await fetch(node.url + path, { method, headers, body: body ?? null })
    const { status } = answer
    const problem: ReturnType<typeof JSON.parse> = await answer.json()
    assert.equal(`${status} ${problem.code}`, expected, problem.detail)
    assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/)
    checkProblem(problem, status)
    assert.equal(problem.instance, new URL(answer.url).pathname)
    if (status === 405) assert.ok(answer.headers.get('allow'), 'Allow is given')
  })
}

for (const { what, bytes, status, code } of RAW) {
  test(`bytes of no good request are answered: ${what}`, async () => {
    const answer = await node.raw(bytes)
    assert.equal(answer.status, status, answer.head)
    assert.equal(answer.body?.code, code)
    assert.match(answer.head, /content-type: application\/problem\+json/i)
    checkProblem(answer.body, status)
    const target = /^[A-Z]+ (\/\S*) HTTP/.exec(bytes)?.[1] ?? '/'
    assert.equal(answer.body.instance, target)
  })
}

/** All members of RFC 9457, our code, and for 400 what is wrong where. */
function checkProblem(problem: ReturnType<typeof JSON.parse>, status: number): void {
  assert.equal(problem.status, status)
  for (const member of ['type', 'title', 'detail', 'instance', 'code']) {
    assert.equal(typeof problem[member], 'string', member)
    assert.notEqual(problem[member], '', member)
  }
  if (status === 400) assert.ok(problem.errors.length > 0, 'errors says what is wrong where')
  for (const error of problem.errors ?? []) {
    assert.equal(typeof error.path, 'string')
    assert.notEqual(error.message, '')
  }
}

test('a body that breaks in its middle is answered with a whole problem', async () => {
  const answer = await node.raw(
    'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n5\r\n{"ser\r\nzz\r\n',
  )
  assert.equal(answer.status, 400)
  checkProblem(answer.body, 400)
  assert.equal(answer.body.instance, '/v1/jobs')
})

test('an answer on its way is not mixed up with a broken request behind it', async () => {
  const { head } = await node.raw(`GET /v1/jobs HTTP/1.1\r\nHost: a\r\n\r\nEHLO x\r\n\r\n`)
  assert.doesNotMatch(head, /^HTTP\/1\.1 4/)
})

test('names that reach a prototype are data like any other, unless they are __proto__', async () => {
  const value = { constructor: { prototype: { polluted: 1 } }, prototype: { toString: 1 } }
  const put = await node.rest.call('PUT', '/v1/dht/prototypes', { body: value })
  assert.deepEqual(put.body.value, value)
  const { body: job } = await node.rest.submit(
    {
      input: value,
      steps: {
        constructor: { service: 'test.echo', input: { $from: '/input' } },
        prototype: { service: 'test.echo', forEach: [value], input: { $from: '/item' } },
      },
      output: { copy: { $from: '/steps/constructor/output' } },
    },
    undefined,
    { prefer: 'wait=20' },
  )
  assert.equal(job.status, 'succeeded')
  assert.deepEqual([job.input, job.output], [value, { copy: value }])
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal(Reflect.get(Object, 'polluted'), undefined)
  assert.equal(typeof Object.prototype.toString, 'function')
})

test('what is wrong with one job of a batch is that job’s own error', async () => {
  const jobs = [
    '{"service":"test.echo"}',
    '{"service":"test.echo","input":{"a":{"__proto__":1}}}',
    '{"__proto__":{},"service":"test.echo"}',
    '{"service":"test.echo","input":1e999}',
    `{"service":"test.echo","input":${nested(10_000)}}`,
    `{"service":"test.echo","idempotencyKey":"${'ü'.repeat(257)}"}`,
    'null',
    '{"service":"test.echo"}',
  ]
  const answer = await fetch(`${node.url}/v1/jobs/batch`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: `{"jobs":[${jobs.join(',')}]}`,
  })
  const { results }: ReturnType<typeof JSON.parse> = await answer.json()
  assert.equal(answer.status, 202)
  const said = results.map((result: ReturnType<typeof JSON.parse>) => result.error?.code ?? 'taken')
  const wrong = Array(jobs.length - 2).fill('invalid_request')
  assert.deepEqual(said, ['taken', ...wrong, 'taken'])
  for (const [index, { error }] of results.entries()) {
    if (error === undefined) continue
    checkProblem(error, 400)
    assert.equal(error.instance, `/v1/jobs/batch#/jobs/${index}`)
  }
  assert.equal(results[1].error.errors[0].path, '/input/a')
})

test('keys are counted in bytes', async () => {
  const key = 'ü'.repeat(256)
  const { status } = await node.rest.submit({ service: 'test.echo', idempotencyKey: key })
  assert.equal(status, 202)
})

test('utf-8 may be named, however it is written', async () => {
  for (const type of ['application/json; charset=utf-8', 'application/json;charset="UTF-8"']) {
    const headers = { 'content-type': type, 'content-encoding': 'identity' }
    const answer = await fetch(`${node.url}/v1/dht/charset`, { method: 'PUT', headers, body: '1' })
    assert.ok(answer.status < 300, type)
  }
})

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
