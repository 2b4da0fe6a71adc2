import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Rounds of garbage, each from several connections at a time. */
const ROUNDS = 200
/** How much the process may grow over all of it, MiB: a leak of 100 KiB a request would show. */
const GROWTH_MIB = 150

const big = 'x'.repeat(1024 * 1024)

/** What arrives at a port that anyone can reach: cut, oversized, wrong, or not HTTP at all. */
const GARBAGE: readonly string[] = [
  '\u0000\u0001\u0002\u0003',
  'GET / HTTP/9.9\r\n\r\n',
  `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n${big}`,
  'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n',
  'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"service":',
  `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${20_000}\r\n\r\n${'['.repeat(20_000)}`,
  'PUT /v1/dht/%FF%FE HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1',
  `GET /v1/jobs?cursor=${'A'.repeat(3000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
]

test('a flood of garbage leaves the node serving and its memory flat', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  await flood(node, ROUNDS / 4)
  const before = residentMib(node)
  await flood(node, ROUNDS)
  const after = residentMib(node)
  t.diagnostic(`resident: ${before} MiB before, ${after} MiB after`)
  assert(after - before < GROWTH_MIB, `the process grew from ${before} to ${after} MiB`)
  const { body } = await client.submit({ service: 'test.echo', input: 'still here' })
  assert.equal((await client.finished(body.id)).output, 'still here')
  const listed = await client.call('GET', '/v1/jobs')
  assert.equal(listed.body.items.length, 1, 'no garbage became a job')
})

async function flood(node: NodeProcess, rounds: number): Promise<void> {
  const port = Number(new URL(node.url).port)
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(GARBAGE.map((bytes) => send(port, bytes)))
  }
}

/** Sends bytes and goes away as soon as anything comes back, or the node has had enough. */
function send(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      // What announced more than it sends is cut off: that is part of the garbage.
      socket.write(bytes, () => setImmediate(() => socket.destroySoon()))
    })
    socket.on('data', () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve())
  })
}

/** Resident memory of the node's process, MiB. */
function residentMib(node: NodeProcess): number {
  const pages = Number(readFileSync(`/proc/${node.pid}/statm`, 'utf8').split(' ')[1])
  return Math.round((pages * 4096) / (1024 * 1024))
}
