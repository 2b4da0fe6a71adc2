import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { answerClientError } from './client-errors.js'
import { OpenExchanges } from './open-exchanges.js'

/** All that a client gets that sends these bytes and no more, from a server of little patience. */
async function answerTo(t: TestContext, bytes: string): Promise<string> {
  const server = createServer(
    { requestTimeout: 60, headersTimeout: 60, connectionsCheckingInterval: 20 },
    (request, response) => {
      request.on('end', () => response.end('done')).resume()
      if (request.url === '/early') response.writeHead(200).write('early')
    },
  )
  const exchanges = new OpenExchanges(server)
  server.on('clientError', (error, socket) => {
    answerClientError(error, socket as Parameters<typeof answerClientError>[1], exchanges)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

const bodyOf = (answer: string): ReturnType<typeof JSON.parse> =>
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

test('a body that stalls is answered with 408, told of its path', async (t) => {
  const head = 'POST /v1/jobs?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{'
  const answer = await answerTo(t, head)
  assert.match(answer, /^HTTP\/1\.1 408 Request Timeout/)
  const { code, instance, status } = bodyOf(answer)
  assert.deepEqual([code, instance, status], ['request_timeout', '/v1/jobs', 408])
})

test('a URL that is longer than all headers may be is told as that', async (t) => {
  const answer = await answerTo(t, `GET /${'u'.repeat(60_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 414 URI Too Long/)
  assert.equal(bodyOf(answer).code, 'uri_too_long')
  const headers = await answerTo(t, `GET / HTTP/1.1\r\nHost: a\r\nx: ${'h'.repeat(60_000)}\r\n\r\n`)
  assert.equal(bodyOf(headers).code, 'headers_too_large')
})

test('headers that stall are answered with 408 of the node as a whole', async (t) => {
  const answer = await answerTo(t, 'GET /livez HTTP/1.1\r\nHost')
  const { code, instance } = bodyOf(answer)
  assert.deepEqual([code, instance], ['request_timeout', '/'])
})

test('an answer that has begun gets no second head in its middle', async (t) => {
  const answer = await answerTo(t, 'POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{')
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
})

test('the request after one that is still being answered is not answered in its place', async (t) => {
  const first = 'POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1'
  const answer = await answerTo(t, `${first}EHLO example\r\n\r\n`)
  assert.doesNotMatch(answer, /^HTTP\/1\.1 4/)
})
