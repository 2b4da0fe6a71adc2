import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { CliError, EXIT } from './cli-error.js'
import { ApiProblem, HttpClient } from './http-client.js'

/** Runs `use` against a server on loopback that answers with `listener`. */
async function withServer(listener: RequestListener, use: (url: string) => Promise<void>) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  try {
    await use(`http://127.0.0.1:${address.port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('a path is sent as written, with prefix, query and token', async () => {
  const seen: string[] = []
  await withServer(
    (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      response.end('{"ok":true}')
    },
    async (url) => {
      const client = new HttpClient({ url: `${url}/below/`, token: 'secret' })
      const answer = await client.call('PUT', '/v1/dht/..', {
        query: { limit: 3, none: undefined },
      })
      assert.deepEqual(answer.body, { ok: true })
      await client.close()
    },
  )
  assert.deepEqual(seen, ['PUT /below/v1/dht/..?limit=3 Bearer secret'])
})

test('a problem becomes an error with its code and its fields', async () => {
  const problem = {
    code: 'unknown_field',
    detail: 'The body has a member that is not known.',
    errors: [{ path: '/colour', message: 'is not known' }],
  }
  await withServer(
    (_, response) => response.writeHead(400).end(JSON.stringify(problem)),
    async (url) => {
      const client = new HttpClient({ url })
      await assert.rejects(client.call('POST', '/v1/jobs', { body: '{}' }), (error) => {
        assert(error instanceof ApiProblem)
        assert.equal(error.code, 'unknown_field')
        assert.match(error.message, /\/colour: is not known/)
        return error.exitCode === EXIT.failed
      })
      await client.close()
    },
  )
})

test('a field that the detail names already is not told twice', async () => {
  const detail = '/service: nobody offers nope'
  const errors = [{ path: '/service', message: 'nobody offers nope' }]
  await withServer(
    (_, response) => response.writeHead(422).end(JSON.stringify({ detail, errors })),
    async (url) => {
      const client = new HttpClient({ url })
      await assert.rejects(client.call('POST', '/v1/jobs'), { message: detail })
      await client.close()
    },
  )
})

test('an overloaded node is asked again, other refusals are not', async () => {
  const answers = [503, 503, 200, 409]
  let calls = 0
  await withServer(
    (_, response) => {
      const status = answers[calls] ?? 500
      calls += 1
      const headers: Record<string, string> = status === 503 ? { 'retry-after': '0' } : {}
      response.writeHead(status, headers).end('{}')
    },
    async (url) => {
      const client = new HttpClient({ url })
      assert.equal((await client.call('GET', '/')).status, 200)
      assert.equal(calls, 3)
      await assert.rejects(client.call('GET', '/'), ApiProblem)
      assert.equal(calls, 4)
      await client.close()
    },
  )
})

test('header values go out as the bytes of their UTF-8, and control characters are wrong usage', async () => {
  const seen: string[] = []
  await withServer(
    ({ headers }, response) => {
      seen.push(Buffer.from(String(headers['idempotency-key']), 'latin1').toString('utf8'))
      response.end('{}')
    },
    async (url) => {
      const client = new HttpClient({ url })
      const send = (key: string) =>
        client.call('POST', '/', { headers: { 'idempotency-key': key } })
      for (const key of ['größe', '注文-1', 'plain']) await send(key)
      for (const key of ['a\nb', 'a\rb', 'a\0b', 'a\x7fb']) {
        await assert.rejects(send(key), (error) => {
          assert.ok(error instanceof CliError)
          assert.match(error.message, /idempotency-key.*control character/)
          return error.exitCode === EXIT.usage
        })
      }
      await client.close()
    },
  )
  assert.deepEqual(seen, ['größe', '注文-1', 'plain'])
})

test('a failure on the way that nobody foresaw is one sentence with what to do', async () => {
  await withServer(
    (request) => request.socket.end('no HTTP at all\r\n\r\n'),
    async (url) => {
      const client = new HttpClient({ url })
      await assert.rejects(client.call('GET', '/'), (error) => {
        assert.ok(error instanceof CliError)
        assert.ok(!error.message.includes('\n') && error.remedy !== null)
        return true
      })
      await client.close()
    },
  )
})

test('where no node listens the exit code is 4', async () => {
  let gone = ''
  await withServer(
    (_, response) => response.end('{}'),
    async (url) => {
      gone = url
    },
  )
  const client = new HttpClient({ url: gone })
  await assert.rejects(client.call('GET', '/'), (error) => {
    return error instanceof CliError && error.exitCode === EXIT.noNode
  })
  await client.close()
})

test('an answer that is not JSON is told as what it is', async () => {
  await withServer(
    (_, response) => response.end('<html>'),
    async (url) => {
      const client = new HttpClient({ url })
      await assert.rejects(client.call('GET', '/'), /not JSON/)
      await client.close()
    },
  )
})
