import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { ServiceError } from '../sdk/index.js'
import { runService } from '../testing/index.js'
import type { LookedUp } from './guarded-agent.js'
import { makeRequest } from './request.js'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server on loopback. @returns its host and port */
async function serve(t: TestContext, handle: Handler): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => handle(request, response, body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Names of this test's own; each look-up takes the next list of addresses. */
function lookupOf(names: Readonly<Record<string, readonly string[][]>>) {
  const asked = new Map<string, number>()
  return (host: string, _: unknown, done: (error: null, found: LookedUp[]) => void): void => {
    const count = asked.get(host) ?? 0
    asked.set(host, count + 1)
    const answers = names[host] ?? []
    const found = answers[Math.min(count, answers.length - 1)] ?? []
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}

type Input = Parameters<ReturnType<typeof makeRequest>['run']>[0]

async function codeOf(
  input: Input,
  options: Parameters<typeof runService>[2] = {},
  service = makeRequest(),
) {
  const ended = await runService(service, input, options).ended
  if (ended.kind === 'succeeded') return ended.output
  const { code, retryable } = ended.error as ServiceError
  return `${code} ${retryable ? 'retry' : 'never'}`
}

const allowing = (...allow: string[]) => ({ config: { 'http.request': { allow } } })

test('a request arrives with its body and its idempotency key, and JSON comes back parsed', async (t) => {
  const host = await serve(t, ({ method, headers, url }, response, body) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ method, url, body, key: headers['idempotency-key'], own: headers['x-own'] }),
    )
  })
  const input = {
    url: `http://${host}/p?q=1`,
    method: 'POST',
    body: { a: 1 },
    headers: { 'X-Own': 'o' },
  } as const
  const output = await codeOf(input, { ...allowing(host), idempotencyKey: 'k1' })
  assert.ok(typeof output === 'object' && output !== null && 'body' in output)
  assert.equal(output['status'], 200)
  assert.deepEqual(output['body'], {
    method: 'POST',
    url: '/p?q=1',
    body: '{"a":1}',
    key: 'k1',
    own: 'o',
  })
})

test('addresses inside are refused for good: as literals in any spelling, and behind names', async (t) => {
  let hits = 0
  const host = await serve(t, (_, response) => {
    hits += 1
    response.end()
  })
  const port = host.split(':')[1]
  const names = lookupOf({ inside: [['10.0.0.1']], mixed: [['127.0.0.1', '::1']] })
  const urls = [
    ...[host, `127.1:${port}`, `0x7f000001:${port}`, `2130706433:${port}`, `0177.0.0.1:${port}`],
    ...[`[::1]:${port}`, `[::ffff:127.0.0.1]:${port}`, `0.0.0.0:${port}`, '169.254.169.254'],
    ...[`inside:${port}`, `mixed:${port}`],
  ]
  for (const url of urls) {
    assert.equal(
      await codeOf({ url: `http://${url}/` }, {}, makeRequest(names)),
      'address_refused never',
      url,
    )
  }
  assert.equal(await codeOf({ url: `http://localhost:${port}/` }), 'address_refused never')
  assert.equal(hits, 0)
})

test('a name that changes its address between look-ups is connected to what was checked', async (t) => {
  let hits = 0
  const host = await serve(t, (_, response) => {
    hits += 1
    response.end()
  })
  const port = host.split(':')[1]
  const names = lookupOf({ rebinds: [['192.0.2.1'], ['127.0.0.1']] })
  const outcome = await codeOf({ url: `http://rebinds:${port}/` }, {}, makeRequest(names))
  assert.equal(outcome, 'address_refused never')
  assert.equal(hits, 0)
})

test('a redirect is followed as far as its place is allowed, without credentials for another origin', async (t) => {
  const seen: (string | undefined)[] = []
  const inner = await serve(t, ({ headers }, response) => {
    seen.push(headers.authorization)
    response.end('inner')
  })
  const outer = await serve(t, ({ url }, response) => {
    response.writeHead(302, { location: url === '/in' ? `http://${inner}/` : '/again' })
    response.end()
  })
  const headers = { authorization: 'Bearer x' }
  const input = { url: `http://${outer}/in`, headers }
  assert.equal(await codeOf(input, allowing(outer)), 'address_refused never')
  assert.equal(seen.length, 0)
  const output = await codeOf(input, allowing(outer, inner))
  assert.ok(typeof output === 'object' && output !== null && 'body' in output)
  assert.deepEqual([output['body'], seen], ['inner', [undefined]])
  assert.equal(
    await codeOf({ url: `http://${outer}/x` }, allowing(outer)),
    'too_many_redirects never',
  )
})

test('statuses fail the attempt as far as another try may help, unless any is accepted', async (t) => {
  const host = await serve(t, ({ url }, response) => {
    response.statusCode = Number(url?.slice(1))
    response.end('no')
  })
  for (const [status, expected] of [
    [404, 'http_status never'],
    [429, 'http_status retry'],
    [503, 'http_status retry'],
  ] as const) {
    assert.equal(await codeOf({ url: `http://${host}/${status}` }, allowing(host)), expected)
  }
  const any = await codeOf({ url: `http://${host}/404`, accept: 'any' }, allowing(host))
  assert.ok(typeof any === 'object' && any !== null && 'status' in any && any['status'] === 404)
})

test('what is too large, malformed or not there is told apart', async (t) => {
  const host = await serve(t, (_, response) => response.end('x'.repeat(200 * 1024)))
  const url = `http://${host}/`
  const allowed = allowing(host)
  assert.equal(await codeOf({ url }, allowed), 'answer_too_large never')
  assert.equal(
    await codeOf({ url, method: 'PUT', body: 'x'.repeat(300_000) }, allowed),
    'request_too_large never',
  )
  assert.equal(await codeOf({ url: 'file:///etc/passwd' }), 'url_invalid never')
  assert.equal(await codeOf({ url: 'http://user:pw@example.org/' }), 'url_invalid never')
  assert.equal(await codeOf({ url, headers: { Host: 'other' } }, allowed), 'header_refused never')
  assert.equal(
    await codeOf({ url: 'http://127.0.0.1:1/' }, allowing('127.0.0.1')),
    'http_failed retry',
  )
  assert.equal(
    await codeOf({ url }, { config: { 'http.request': { allow: 'all' } } }),
    'config_invalid never',
  )
})

test('an abort ends a request that gets no answer', { timeout: 10_000 }, async (t) => {
  let arrived = (): void => {}
  const isThere = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const host = await serve(t, () => arrived())
  const run = runService(makeRequest(), { url: `http://${host}/` }, allowing(host))
  await isThere
  run.abort('timed_out')
  const ended = await run.ended
  assert.equal(ended.kind === 'failed' && (ended.error as Error).name, 'AbortError')
})
