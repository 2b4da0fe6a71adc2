import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { SubmitCommand } from '../protocol/ledger/command.js'
import { EngineTally } from '../protocol/node/engine-tally.js'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { PluginFailure, ServiceOffer } from '../protocol/node/messages.js'
import type { NodeClient, Proposal } from '../runtime/node-client.js'
import { startApi } from './start-api.js'

/** What only a node in trouble says. The node here is a script; the whole one is tested elsewhere. */

type Propose = (proposal: Proposal) => Reply

const OVERLOADED: Reply = {
  ok: false,
  code: 'overloaded',
  message: 'too much',
  details: { retryAfter: 7 },
}

const OLD_SERVICE: ServiceOffer = {
  name: 'old.service',
  version: '1',
  timeoutMs: 1000,
  concurrency: 1,
  compensates: false,
}

const FAILURE: PluginFailure = {
  file: 'stock.ts',
  error: {
    code: 'plugin_failed',
    message: "Cannot find module '/srv/acme/no.js'\nRequire stack:\n- /srv/acme/stock.ts",
    retryable: false,
  },
}

const SERVICES: Reply = {
  ok: true,
  result: 'found',
  body: JSON.stringify({ items: [OLD_SERVICE] }),
}

function scriptedClient(propose: Propose, answer: Reply = SERVICES): NodeClient {
  return {
    identity: {
      clusterId: 'c'.repeat(32),
      nodeId: 'a'.repeat(32),
      storeId: 'b'.repeat(32),
      bootEpoch: 1,
      name: 'näme',
      arcCount: 4,
      version: '0.0.0',
      zone: null,
      labels: {},
    },
    offers: { services: [], jobs: [], failures: [FAILURE] },
    propose: async (proposal) => propose(proposal),
    query: async () => answer,
    queryAll: async ({ kind }) =>
      kind === 'figures'
        ? OVERLOADED
        : {
            ok: true,
            result: 'found',
            body: '{"items":[],"bodies":[],"next":null,"missing":4}',
          },
    watchJob: () => ({ reply: new Promise(() => {}), cancel: () => {} }),
    followJob: () => ({ reply: new Promise(() => {}), cancel: () => {} }),
    status: async () => ({
      serving: false,
      reason: '3 arcs are still catching up with the log',
      stopping: false,
      pendingProposals: 0,
      figures: new EngineTally().figures,
      runningAttempts: 0,
      services: {},
      resources: {},
      syncs: 0,
      bytesWritten: 0,
      stalledMs: { log: 0, state: 0 },
      stopped: [],
      logScrub: { segments: 0, bytes: 0, passes: 0, lastPassAt: null, damaged: 0, givenUp: 0 },
      scrub: { rows: 0, passes: 0 },
      arcs: [],
    }),
  }
}

async function setup(t: TestContext, propose: Propose, answer?: Reply) {
  const reported: unknown[] = []
  const api = await startApi({
    client: scriptedClient(propose, answer),
    host: '127.0.0.1',
    port: 0,
    compileSchema: () => ({ ok: false, message: 'none here' }),
    report: (error) => reported.push(error),
  })
  t.after(() => api.close())
  const call = async (path: string, body?: unknown) => {
    const answer = await fetch(api.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const parsed: ReturnType<typeof JSON.parse> = await answer.json()
    return { status: answer.status, headers: answer.headers, body: parsed }
  }
  return { api, call, reported }
}

const submission = (n: number): object => ({ service: 'old.service', input: n })

/** The ID is the command's; the input says which submission it was. */
function accepted({ command }: Proposal): Reply {
  const { id } = command as SubmitCommand
  return { ok: true, result: 'accepted', body: `{"id":"${id}","status":"queued"}` }
}

function inputOf({ command }: Proposal): unknown {
  return (command as SubmitCommand).input
}

test('overload is 503 with the time to wait, for one job and for a batch of which none was stored', async (t) => {
  const { call } = await setup(t, () => OVERLOADED)
  const single = await call('/v1/jobs', submission(1))
  assert.deepEqual([single.status, single.body.code], [503, 'overloaded'])
  assert.equal(single.headers.get('retry-after'), '7')
  assert.equal(single.body.retryAfter, undefined)
  const jobs = [submission(1), { service: 'no.such' }, submission(2)]
  const batch = await call('/v1/jobs/batch', { jobs })
  assert.deepEqual([batch.status, batch.body.code], [503, 'overloaded'])
  assert.ok(batch.headers.get('retry-after'))
})

const ARC_STOPPED: Reply = { ok: false, code: 'arc_unavailable', message: 'it has rotted' }

test('where it cannot be known which services there are, none is called unknown, and their list is partial', async (t) => {
  const { call } = await setup(t, accepted, ARC_STOPPED)
  const single = await call('/v1/jobs', submission(1))
  assert.deepEqual([single.status, single.body.code], [503, 'arc_unavailable'])
  const { body } = await call('/v1/services')
  assert.deepEqual([body.items, body.partial, body.missing], [[], true, 1])
})

test('a job without a key goes to another arc where its own stands still, one with a key does not', async (t) => {
  const ids: string[] = []
  const { call } = await setup(t, (proposal) => {
    ids.push((proposal.command as SubmitCommand).id)
    return ids.length === 2 ? accepted(proposal) : ARC_STOPPED
  })
  const free = await call('/v1/jobs', submission(1))
  assert.deepEqual([free.status, free.body.id, ids.length], [202, ids[1], 2])
  const keyed = await call('/v1/jobs', { ...submission(1), idempotencyKey: 'k' })
  assert.deepEqual([keyed.status, keyed.body.code, ids.length], [503, 'arc_unavailable', 3])
  const batch = await call('/v1/jobs/batch', { jobs: [submission(1)] })
  assert.deepEqual([batch.body.results[0].error.code, ids.length], ['arc_unavailable', 7])
})

test('a batch of which one job was stored tells overload job by job', async (t) => {
  const { call } = await setup(t, (proposal) =>
    inputOf(proposal) === 1 ? accepted(proposal) : OVERLOADED,
  )
  const { status, body } = await call('/v1/jobs/batch', { jobs: [submission(0), submission(1)] })
  assert.equal(status, 202)
  assert.equal(body.results[0].error.code, 'overloaded')
  assert.equal(body.results[1].status, 'queued')
})

test('a job of unknown outcome may be stored, so the batch is never overloaded as a whole', async (t) => {
  const unknown: Reply = { ok: false, code: 'outcome_unknown', message: 'no idea' }
  const { call } = await setup(t, (proposal) => (inputOf(proposal) === 1 ? unknown : OVERLOADED))
  const { status, body } = await call('/v1/jobs/batch', { jobs: [submission(0), submission(1)] })
  assert.equal(status, 202)
  assert.equal(body.results[1].error.code, 'outcome_unknown')
  assert.equal((await call('/v1/jobs', submission(1))).status, 504)
})

test('a client that goes away in the middle of its body is no fault of ours', async (t) => {
  const { api, reported } = await setup(t, () => assert.fail('nothing is asked of the engine'))
  const { hostname, port } = new URL(api.url)
  const socket = connect(Number(port), hostname)
  const head = 'POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  socket.write(`${head}content-length: 100\r\n\r\n{"service":`)
  await untilBodiesInFlight(api.url, (bytes) => bytes > 0)
  socket.destroy()
  await untilBodiesInFlight(api.url, (bytes) => bytes === 0)
  assert.deepEqual(reported, [])
})

async function untilBodiesInFlight(url: string, isSo: (bytes: number) => boolean): Promise<void> {
  for (let look = 0; look < 1_000; look += 1) {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const [, bytes] = /^gyre_http_bodies_in_flight_bytes (\d+)$/m.exec(metrics) ?? []
    if (isSo(Number(bytes))) return
  }
  assert.fail('the bodies in flight stay what they are')
}

test('a fault of ours is 500 without a word about it, and is reported', async (t) => {
  const { call, reported } = await setup(t, () => {
    throw new Error('secret in a private folder')
  })
  const { status, body } = await call('/v1/jobs', submission(1))
  assert.deepEqual([status, body.code], [500, 'internal_error'])
  assert.doesNotMatch(JSON.stringify(body), /secret|private|at \w/)
  assert.equal(reported.length, 1)
})

test('a service that only the ring remembers is accepted', async (t) => {
  const { call } = await setup(t, accepted)
  assert.equal((await call('/v1/jobs', submission(1))).status, 202)
})

test('a node that does not serve is alive and not ready, and says why', async (t) => {
  const { call } = await setup(t, accepted)
  assert.equal((await call('/livez')).status, 200)
  const ready = await call('/readyz')
  assert.deepEqual([ready.status, ready.body.code], [503, 'not_ready'])
  assert.match(ready.body.detail, /3 arcs/)
})

test('plugins that failed are listed without a path of this host', async (t) => {
  const { call } = await setup(t, accepted)
  const { body } = await call('/v1/job-definitions')
  assert.equal(body.failures[0].file, 'stock.ts')
  assert.equal(body.failures[0].error.message, "Cannot find module 'no.js'")
})

test('an arc whose next entry is not known is 503 with a time to wait', async (t) => {
  const stopped: Reply = { ok: false, code: 'apply_stopped', message: 'entry 7 is not known' }
  const { call } = await setup(t, () => stopped)
  const { status, body, headers } = await call('/v1/jobs', submission(1))
  assert.deepEqual([status, body.code], [503, 'apply_stopped'])
  assert.ok(headers.get('retry-after'))
})

test('a job whose arc does not answer is explained by that', async (t) => {
  const stopped: Reply = { ok: false, code: 'apply_stopped', message: 'entry 7 is not known' }
  const { call } = await setup(t, accepted, stopped)
  const { status, body } = await call(`/v1/jobs/${'a'.repeat(32)}/explain`)
  assert.equal(status, 200)
  assert.deepEqual(
    [body.reasons.length, body.reasons[0].code, body.reasons[0].refusal],
    [1, 'owner_unavailable', 'apply_stopped'],
  )
})

test('arcs that do not answer make a list partial', async (t) => {
  const { call } = await setup(t, accepted)
  const { body } = await call('/v1/jobs')
  assert.deepEqual(body, { items: [], nextCursor: null, partial: true, missing: 4 })
})

test('a name that no header can carry is replaced by the node’s ID', async (t) => {
  const { call } = await setup(t, accepted)
  assert.equal((await call('/livez')).headers.get('gyre-served-by'), 'a'.repeat(32))
})

test('another address than loopback is refused, unless insecure', async () => {
  const options = {
    client: scriptedClient(accepted),
    port: 0,
    compileSchema: () => ({ ok: false, message: '' }) as const,
    report: () => {},
  }
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.example.com']) {
    await assert.rejects(startApi({ ...options, host }), { code: 'address_not_loopback' }, host)
  }
  const api = await startApi({ ...options, host: '0.0.0.0', insecure: true })
  await api.close()
})
