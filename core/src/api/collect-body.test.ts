import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectBody } from './collect-body.js'
import { Problem } from './problem.js'

const nothing = (): void => {}

test('a body is what came, in whatever pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 9000 })), async (arrays) => {
      const pieces = arrays.map((piece) => Buffer.from(piece))
      const body = await collectBody(Readable.from(pieces), { bytesMax: 1e6, take: nothing })
      assert.deepEqual(body, Buffer.concat(pieces))
    }),
    { numRuns: 50 },
  )
})

test('pieces are not kept: a body of single bytes takes twice its size at most', async () => {
  const bytesMax = 100_000
  const body = await collectBody(singleBytes(bytesMax), { bytesMax, take: nothing })
  assert.equal(body.length, bytesMax)
  assert.ok(body.buffer.byteLength <= 2 * bytesMax, `${body.buffer.byteLength} bytes`)
})

test('a body that comes as announced, in one piece, is not copied', async () => {
  const piece = Buffer.from('{"n":1}')
  const bounds = { bytesMax: 100, take: nothing, announcedBytes: piece.length }
  const body = await collectBody(Readable.from([piece]), bounds)
  assert.equal(body.buffer, piece.buffer)
  assert.deepEqual(body, piece)
})

test('a body that is longer than announced is what came', async () => {
  const bounds = { bytesMax: 100, take: nothing, announcedBytes: 2 }
  const pieces = ['a', 'bc', 'd'].map((text) => Buffer.from(text))
  const body = await collectBody(Readable.from(pieces), bounds)
  assert.equal(body.toString(), 'abcd')
})

test('a body of the limit is taken, one byte more is not', async () => {
  const take = nothing
  assert.equal((await collectBody(singleBytes(10), { bytesMax: 10, take })).length, 10)
  const refused = collectBody(singleBytes(11), { bytesMax: 10, take })
  await assert.rejects(refused, (error) => codeOf(error) === 'payload_too_large')
})

test('bytes that cannot be taken end the body, and none after them is asked for', async () => {
  let asked = 0
  const take = (): void => {
    asked += 1
    if (asked === 3) throw new Problem('overloaded', 'full')
  }
  const body = singleBytes(10)
  const ended = once(body, 'end')
  const refused = collectBody(body, { bytesMax: 10, take })
  await assert.rejects(refused, (error) => codeOf(error) === 'overloaded')
  await ended
  assert.equal(asked, 3)
})

test('a body that is refused while it comes ends with that refusal', async () => {
  const body = new PassThrough()
  let refuse: (problem: Problem) => void = nothing
  const collected = collectBody(body, {
    bytesMax: 10,
    take: nothing,
    onBegin: (given) => {
      refuse = given
    },
  })
  body.write('a')
  refuse(new Problem('request_timeout', 'too slow'))
  await assert.rejects(collected, (error) => codeOf(error) === 'request_timeout')
  body.destroy()
})

test('a client that breaks off is told apart from a failure of the node', async () => {
  const body = new PassThrough()
  const collected = collectBody(body, { bytesMax: 10, take: nothing })
  body.write('a')
  body.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }))
  await assert.rejects(collected, (error) => codeOf(error) === 'malformed_request')
})

/** Each byte as a piece of its own. */
function singleBytes(count: number): Readable {
  let left = count
  return new Readable({
    read() {
      left -= 1
      this.push(left < 0 ? null : Buffer.from('x'))
    },
  })
}

function codeOf(error: unknown): string | null {
  return error instanceof Problem ? error.code : null
}
