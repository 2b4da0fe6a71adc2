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
    assert.equal(problem.status, status)
    assert.ok(problem.title.length > 0 && problem.detail.length > 0 && problem.type.length > 0)
    if (status === 405) assert.ok(answer.headers.get('allow'), 'Allow is given')
    if (status === 400 && problem.errors !== undefined) {
      for (const error of problem.errors) assert.equal(typeof error.path, 'string')
    }
  })
}

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
