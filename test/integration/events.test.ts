import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Timelines followed live, by a client that knows server-sent events and nothing of our code. */

interface Told {
  readonly id: number
  readonly type: string
}

class Follower {
  readonly told: Told[] = []
  readonly #parts: AsyncIterator<Uint8Array>
  #text = ''
  /** The connection broke; a stream that is ended says so. */
  isBroken = false

  private constructor(answer: Response) {
    assert(answer.body !== null)
    this.#parts = answer.body[Symbol.asyncIterator]()
  }

  static async open(url: string, job: string, lastEventId?: number): Promise<Follower> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }
    const answer = await fetch(`${url}/v1/jobs/${job}/events`, { headers })
    assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
    return new Follower(answer)
  }

  /** Reads until this event has come, or the stream ends, however it does. */
  async until(type?: string): Promise<Told[]> {
    try {
      while (!this.told.some((event) => event.type === type)) {
        const { done, value } = await this.#parts.next()
        if (done === true) break
        this.#text += new TextDecoder().decode(value)
        this.#take()
      }
    } catch (error) {
      assert.equal(error instanceof TypeError, true, String(error))
      this.isBroken = true
    }
    return this.told
  }

  #take(): void {
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, data = ''] = /^id: (\d+)\ndata: (.+)$/.exec(block) ?? []
      if (id !== undefined) this.told.push({ id: Number(id), type: JSON.parse(data).type })
    }
  }
}

async function setup(t: TestContext) {
  const data = join(temporaryFolder(t), 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--init'])
  return { data, node, rest: RestClient.open(t, node.url) }
}

/** A step that waits until it is cancelled or its process dies, and one that follows it. */
const WAITING = {
  steps: {
    a: { service: 'test.sleep', input: { ms: 60_000 }, retry: { delay: 0 } },
    b: { service: 'test.echo', needs: ['a'] },
  },
}

test('events come as they happen, and the stream ends behind the last', async (t) => {
  const { node, rest } = await setup(t)
  const { body: job } = await rest.submit(WAITING)
  const follower = await Follower.open(node.url, job.id)
  assert.deepEqual(
    (await follower.until('attempt_started')).map(({ type }) => type),
    ['job_submitted', 'attempt_started'],
  )
  const following = Follower.open(node.url, job.id, 2).then((later) => later.until())
  await rest.call('POST', `/v1/jobs/${job.id}/cancel`)
  const told = await following
  const { body: history } = await rest.call('GET', `/v1/jobs/${job.id}/history`)
  const all = history.items.map(({ seq, type }: { seq: number; type: string }) => ({
    id: seq,
    type,
  }))
  assert.deepEqual([...follower.told, ...told], all)
  assert.equal(told.at(-1)?.type, 'job_ended')
})

test('what has been told whole is answered with 204, so that an event source stays away', async (t) => {
  const { node, rest } = await setup(t)
  const { body: job } = await rest.submit({ service: 'test.echo' }, undefined, {
    prefer: 'wait=20',
  })
  const told = await (await Follower.open(node.url, job.id)).until()
  assert.equal(told.at(-1)?.type, 'job_ended')
  const path = `/v1/jobs/${job.id}/events`
  const last = { 'last-event-id': String(told.at(-1)?.id) }
  assert.equal((await rest.call('GET', path, { headers: last })).status, 204)
  const nonsense = await rest.call('GET', path, { headers: { 'last-event-id': '-1' } })
  assert.deepEqual([nonsense.status, nonsense.body.errors[0].path], [400, 'Last-Event-ID'])
  const missing = await rest.call('GET', `/v1/jobs/${'f'.repeat(32)}/events`)
  assert.deepEqual([missing.status, missing.body.code], [404, 'job_not_found'])
  const head = await fetch(node.url + path, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET'])
})

test('over a kill -9 of the node no event is lost and none is told twice', async (t) => {
  const { data, node, rest } = await setup(t)
  const { body: job } = await rest.submit(WAITING)
  const follower = await Follower.open(node.url, job.id)
  await follower.until('attempt_started')
  const broken = follower.until()
  await node.kill()
  const before = await broken
  const again = await NodeProcess.start(t, ['--data', data])
  const later = RestClient.open(t, again.url)
  const resumed = await Follower.open(again.url, job.id, before.at(-1)?.id)
  await resumed.until('attempt_started')
  await later.call('POST', `/v1/jobs/${job.id}/cancel`)
  await later.finished(job.id)
  const { body: history } = await later.call('GET', `/v1/jobs/${job.id}/history`)
  const end = await Follower.open(again.url, job.id, resumed.told.at(-1)?.id)
  const all = [...before, ...resumed.told, ...(await end.until())]
  assert.deepEqual(
    all.map(({ id }) => id),
    history.items.map(({ seq }: { seq: number }) => seq),
  )
})

test('a node that stops ends its streams in good order', async (t) => {
  const { node, rest } = await setup(t)
  const { body: job } = await rest.submit({
    steps: { a: { service: 'test.flaky', input: { failures: 9 }, retry: { delay: '1h' } } },
  })
  const follower = await Follower.open(node.url, job.id)
  await follower.until('retry_scheduled')
  const ended = follower.until()
  assert.equal((await node.terminate()).code, 0)
  await ended
  assert.equal(follower.isBroken, false)
})

test('more followers than the limit are refused with a time to wait, and the node goes on', async (t) => {
  const { node, rest } = await setup(t)
  const { body: job } = await rest.submit(WAITING)
  const gone = new AbortController()
  atEnd(t, () => gone.abort())
  const path = `${node.url}/v1/jobs/${job.id}/events`
  const answers = await Promise.all(
    Array.from({ length: LIMIT + 20 }, () => fetch(path, { signal: gone.signal })),
  )
  const refused = answers.filter(({ status }) => status === 503)
  assert.equal(refused.length, 20)
  assert.equal(refused[0]?.headers.get('retry-after'), '1')
  assert.equal((await rest.submit({ service: 'test.echo' })).status, 202)
})

/** As the API's page says. */
const LIMIT = 2000
