import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Owner } from '../testing/at-end.js'
import { HostHarness } from './testing/host-harness.js'
import type { ServicesHostOptions } from './services-host.js'

/** TypeScript, so that the pool's threads show that they load it. */
const HANDLERS = `
const wait = (ms: number, signal?: AbortSignal) => new Promise<void>((resolve, reject) => {
  setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => reject(signal.reason))
})
const hold = async (mb: number) => {
  const held = Buffer.alloc(mb * 1e6, 1)
  await wait(1000)
  return held.length
}
const tells = (name: string) => ({ name, run: async (_: unknown, ctx: any) => {
  ctx.log.info('begins')
  ctx.progress(3, 9, 'counting')
  ctx.signal.addEventListener('abort', () => ctx.log.info('last words'))
  await wait(600000, ctx.signal)
} })
const own = (name: string, run: (input: any, ctx: any) => unknown) => ({ name, isolation: 'thread', run })
export const handlers = [
  own('sum', (n) => { let sum = 0; for (let i = 1; i <= n; i += 1) sum += i; return sum }),
  own('thread', async () => {
    const { threadId } = await import('node:worker_threads')
    return threadId
  }),
  own('spins', () => { for (;;); }),
  own('patient', (_, ctx) => wait(600000, ctx.signal)),
  own('logs', (_, ctx) => { ctx.log.info('from the pool', { fence: ctx.fence }); return ctx.idempotencyKey }),
  own('grows', async () => { await wait(1); const all: number[] = []; for (;;) all.push(1.5) }),
  own('hoards', async () => { await wait(1); const all: unknown[] = []; for (;;) all.push(new Array(10000).fill(all.length)) }),
  own('buffers', async () => { await wait(1); const all: unknown[] = []; for (;;) { all.push(Buffer.alloc(1e6, 1)); await wait(1) } }),
  own('holds', hold),
  { ...own('holdsSmall', hold), requires: { memoryMb: 80 } },
  { ...own('holdsTiny', hold), requires: { memoryMb: 1 } },
  own('throws', () => { throw Object.assign(new Error('no'), { name: 'ServiceError', code: 'said_no', retryable: false }) }),
  { name: 'talks', run: (_: unknown, ctx: any) => { ctx.log.warn('x', { n: 1 }); ctx.log.info('y'); for (;;); } },
  own('talksThere', (_, ctx) => { ctx.log.info('last words'); setTimeout(() => { for (;;); }, 100); return wait(1e9) }),
  { name: 'told', run: (_: unknown, ctx: any) => {
    ctx.log.info('the key is ' + ctx.secrets.get('key'), { deep: { key: ctx.secrets.get('key') } })
    try { ctx.config.region = 'us' } catch {}
    try { ctx.config.list.push(1) } catch {}
    if (ctx.config.fail) throw new Error('with ' + ctx.secrets.get('key') + ' it fails')
    return [ctx.config, ctx.secrets.has('nothing')]
  } },
  { name: 'lacks', run: (_: unknown, ctx: any) => ctx.secrets.get('nothing') },
  { name: 'goes', run: (_: unknown, ctx: any) => { ctx.progress(1, 3); ctx.progress(2, 3, 'nearly'); ctx.log.info('x') } },
  tells('tells'),
  own('tellsThere', tells('').run),
  { name: 'babbles', run: (n: number, ctx: any) => {
    for (let i = 0; i <= n; i += 1) ctx.progress(i, n)
    for (const none of [NaN, -1, 'x', undefined]) ctx.progress(none)
  } },
  { name: 'beats', run: async (ms: number, ctx: any) => {
    const end = Date.now() + ms
    while (Date.now() < end) ctx.heartbeat()
    return 'beat'
  } },
  { name: 'counts', run: (key: string, ctx: any) => ctx.dht.update(key, (n: any) => (n ?? 0) + 1) },
  own('countsThere', (key, ctx) => ctx.dht.update(key, (n: any) => (n ?? 0) + 1)),
  { name: 'wrong', run: async (_: unknown, ctx: any) => {
    const codes: string[] = []
    for (const call of [
      () => ctx.dht.get(''),
      () => ctx.dht.get('x'.repeat(600)),
      () => ctx.dht.get('\\ud800'),
      () => ctx.dht.put('k', 'x'.repeat(300000)),
      () => ctx.dht.put('k', 1n),
      () => ctx.dht.put('k', 1, { ifVersion: 99 }),
    ]) await call().catch((e: any) => codes.push(e.code + ' ' + e.retryable))
    return codes
  } },
  { name: 'asks', run: (_: unknown, ctx: any) => ctx.dht.get('silent') },
  { name: 'echo', run: (input: unknown) => input },
  { name: 'blocks', run: () => { for (;;); } },
  { name: 'huge', requires: { memoryMb: 1e9 }, run: () => 1 },
  { name: 'eu', labels: { region: 'eu' }, run: () => 1 },
  { name: 'graphics', requires: { units: { gpu: 1 } }, run: () => 1 },
]
`

function setup(owner: Owner, options: Partial<ServicesHostOptions> = {}): HostHarness {
  return HostHarness.start(owner, { 'handlers.ts': HANDLERS }, { capacity: { cpu: 2 }, ...options })
}

test('a handler with a thread of its own computes there, and its services share no loop', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('a', 'spins')
  host.run('b', 'sum', 1_000)
  host.run('c', 'echo', 'at once')
  assert.deepEqual(await host.ended('c'), { kind: 'succeeded', output: 'at once' })
  assert.deepEqual(await host.ended('b'), { kind: 'succeeded', output: 500_500 })
  assert.deepEqual(host.endsOf('a'), [])
})

test('an endless loop is ended by cancel, timeout and lost lease alike, beside others', async (t) => {
  const host = setup(t, { capacity: { cpu: 4 } })
  await host.offers(1)
  host.run('timed', 'spins')
  host.run('cancelled', 'spins')
  host.run('lost', 'spins')
  host.run('neighbour', 'patient')
  host.abort('timed', 'timed_out')
  host.abort('cancelled', 'cancelled')
  host.abort('lost', 'lease_lost')
  assert.deepEqual(await host.ended('timed'), { kind: 'timed_out' })
  assert.deepEqual(await host.ended('cancelled'), { kind: 'cancelled' })
  assert.deepEqual(await host.ended('lost'), { kind: 'lost', charged: false })
  assert.deepEqual(host.endsOf('neighbour'), [])
  assert.equal(host.received.filter(({ kind }) => kind === 'withdrawn').length, 0)
  host.run('next', 'sum', 4)
  assert.deepEqual(await host.ended('next'), { kind: 'succeeded', output: 10 })
})

test('an endless loop that has begun is ended with its thread, and the log says whose it was', async (t) => {
  const host = setup(t, { capacity: { cpu: 1 } })
  await host.offers(1)
  host.run('warm', 'thread')
  const warm = await host.ended('warm')
  host.run('again', 'thread')
  assert.deepEqual(await host.ended('again'), warm, 'an idle thread is used again')
  host.run('spins', 'spins')
  host.abort('spins', 'timed_out')
  assert.deepEqual(await host.ended('spins'), { kind: 'timed_out' })
  const line = await host.logged(/the thread of service spins was ended: .* 100 ms after timed_out/)
  assert.equal(line.fields['attempt'], 'spins')
  host.run('after', 'thread')
  assert.notDeepEqual(await host.ended('after'), warm)
})

test('a handler that heeds its signal settles in its thread, which goes on', async (t) => {
  const host = setup(t, { capacity: { cpu: 1 } })
  await host.offers(1)
  host.run('warm', 'thread')
  const warm = await host.ended('warm')
  host.run('patient', 'patient')
  host.abort('patient', 'cancelled')
  assert.deepEqual(await host.ended('patient'), { kind: 'cancelled' })
  host.run('after', 'thread')
  assert.deepEqual(await host.ended('after'), warm)
})

test('a handler of the pool has the context and the outcomes of any other', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('logs', 'logs')
  assert.deepEqual(await host.ended('logs'), { kind: 'succeeded', output: 'key' })
  assert.equal((await host.logged(/^from the pool$/)).fields['fence'], 9)
  host.run('throws', 'throws')
  const error = { code: 'said_no', message: 'no', retryable: false }
  assert.deepEqual(await host.ended('throws'), { kind: 'failed', error })
})

for (const [how, hoarder] of [
  ['many objects', 'hoards'],
  ['one large array', 'grows'],
  ['buffers outside its heap', 'buffers'],
] as const) {
  test(`a handler that fills the memory of its thread by ${how} fails, is told its cap, and nobody else is ended`, async (t) => {
    const host = setup(t, { pool: { heapMb: 96 } })
    await host.offers(1)
    host.run('neighbour', 'patient')
    host.run('hoarder', hoarder)
    const message =
      `the handler used more than the 96 MiB of memory that an attempt of ${hoarder} may have; ` +
      'raise its requires.memoryMb, or let it use less'
    const error = { code: 'memory_exceeded', message, retryable: true }
    assert.deepEqual(await host.ended('hoarder'), { kind: 'failed', error, unknown: true })
    await host.logged(new RegExp(`the thread of service ${hoarder} is gone: .*96 MiB of memory`))
    assert.deepEqual(host.endsOf('neighbour'), [])
  })
}

test('an attempt in a thread may use what its service declares, and no more', async (t) => {
  const host = setup(t, { capacity: { cpu: 1 } })
  await host.offers(1)
  host.run('first', 'holds', 100)
  assert.equal((await host.ended('first')).kind, 'succeeded', 'the default is enough')
  host.run('small', 'holdsSmall', 100)
  const small = await host.ended('small')
  assert.match(small.kind === 'failed' ? small.error.message : small.kind, /more than the 80 MiB/)
  host.run('tiny', 'holdsTiny', 10)
  assert.equal((await host.ended('tiny')).kind, 'succeeded', 'a thread needs some for itself')
})

test('attempts in the pool live through a restart of the services thread', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('patient', 'patient')
  host.run('blocks', 'blocks')
  assert.deepEqual(await host.ended('blocks'), { kind: 'timed_out' })
  host.run('early', 'sum', 3)
  assert.deepEqual(await host.ended('early'), { kind: 'not_started' })
  await host.offers(2)
  assert.deepEqual(host.endsOf('patient'), [])
  host.abort('patient', 'cancelled')
  assert.deepEqual(await host.ended('patient'), { kind: 'cancelled' })
})

test('beyond its threads an attempt is said not to have started', async (t) => {
  const host = setup(t, { capacity: { cpu: 1 } })
  await host.offers(1)
  host.run('a', 'patient')
  host.run('b', 'patient')
  assert.deepEqual(await host.ended('b'), { kind: 'not_started' })
  assert.deepEqual(host.endsOf('a'), [])
})

test('stop ends the threads of the pool and reports what ran there before it is done', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('patient', 'patient')
  host.run('spins', 'spins')
  await host.stop()
  for (const attempt of ['patient', 'spins']) {
    assert.deepEqual(host.endsOf(attempt), ['{"kind":"lost","charged":false}'])
  }
})

test('a service that can never fit is offered with no slots and refused with the reason', async (t) => {
  const host = setup(t)
  const { refused } = await host.offers(1)
  assert.deepEqual(Object.keys(refused ?? {}).sort(), ['eu', 'graphics', 'huge'])
  assert.equal(refused?.['huge']?.reason, 'memory')
  assert.equal(
    refused?.['graphics']?.text,
    'one attempt takes gpu=1 and the node has 0; ' +
      'declare more with --capacity gpu=N, or lower "requires" of the service',
  )
  const [offers] = host.received.filter((message) => message.kind === 'offers')
  assert.equal(offers?.slots['huge'], undefined)
  assert.equal(offers?.slots['echo'], 64)
  assert.equal(offers?.capacity?.has['#threads'], 2_000)
  assert.deepEqual(offers?.capacity?.takes['sum'], { '#threads': 1_000 })
})

test('what the owner declares wins over what is measured', async (t) => {
  const host = setup(t, { capacity: { cpu: 1.5, gpu: 2 } })
  const { refused } = await host.offers(1)
  assert.deepEqual(Object.keys(refused ?? {}), ['huge', 'eu'])
  const [offers] = host.received.filter((message) => message.kind === 'offers')
  assert.deepEqual([offers?.capacity?.has['cpu'], offers?.capacity?.has['gpu']], [1_500, 2_000])
})

/** All that an attempt told, before its end and with it. */
function toldLines(host: HostHarness, attempt: string): { at: number; message: string }[] {
  return host.received.flatMap((message) => {
    const isTold = message.kind === 'noted' || message.kind === 'ended'
    return isTold && message.attempt === attempt ? JSON.parse(message.logs ?? '[]') : []
  })
}

test('what a handler tells is known while it runs, once, on the loop and in threads', async (t) => {
  const host = setup(t)
  await host.offers(1)
  for (const service of ['tells', 'tellsThere']) {
    host.run(service, service)
    const notes = () =>
      host.received.flatMap((message) =>
        message.kind === 'noted' && message.attempt === service ? [message] : [],
      )
    await host.until(() => notes().length > 0, `a note of ${service}`)
    assert.deepEqual(host.endsOf(service), [])
    const { at: _, ...progress } = JSON.parse(notes()[0]?.progress ?? '{}')
    assert.deepEqual(progress, { done: 3, total: 9, note: 'counting' })
    host.abort(service, 'cancelled')
    await host.ended(service)
    const messages = toldLines(host, service).map(({ message }) => message)
    assert.deepEqual(messages, ['begins', 'last words', 'progress 3 of 9: counting'])
  }
})

test('a handler that says a million times how far it is leaves a few lines, the last one true', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('babbles', 'babbles', 1_000_000)
  await host.ended('babbles')
  const lines = host.log.filter(({ message }) => message.startsWith('progress'))
  assert.ok(lines.length < 100, `${lines.length} lines`)
  assert.equal(lines.at(-1)?.message, 'progress 1000000 of 1000000')
  assert.deepEqual(
    toldLines(host, 'babbles').map(({ message }) => message),
    ['progress 1000000 of 1000000'],
  )
})

test('a service that asks for labels is offered where the node has them, and refused elsewhere', async (t) => {
  for (const [labels, text] of [
    [{ region: 'eu', disk: 'fast' }, undefined],
    [
      { region: 'us' },
      'it runs where region=eu, and this node has region=us; start a node with --label region=eu',
    ],
    [
      {},
      'it runs where region=eu, and this node has no region; start a node with --label region=eu',
    ],
  ] as const) {
    const host = setup(t, { labels })
    const { refused } = await host.offers(1)
    assert.equal(refused?.['eu']?.text, text)
    const [offers] = host.received.filter((message) => message.kind === 'offers')
    assert.equal(offers?.slots['eu'], text === undefined ? 64 : undefined)
  }
})

test('what a handler logged goes with its report, also when its thread had to be ended', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('quiet', 'echo', 1)
  host.run('there', 'talksThere')
  await host.logged(/^last words$/)
  host.abort('there', 'timed_out')
  host.run('loop', 'talks')
  await host.ended('quiet')
  await host.ended('there')
  await host.ended('loop')
  const lines = (attempt: string) =>
    toldLines(host, attempt).map(({ at, ...line }) => {
      assert.ok(Math.abs(Date.now() - at) < 60_000)
      return line
    })
  assert.deepEqual(lines('quiet'), [])
  assert.deepEqual(lines('there'), [{ level: 'info', message: 'last words' }])
  assert.deepEqual(lines('loop'), [
    { level: 'warn', message: 'x', fields: { n: 1 } },
    { level: 'info', message: 'y' },
  ])
})

/** A hash table for handlers behind the host, as the engine would answer. */
function answerRecords(host: HostHarness): void {
  const held = new Map<string, { version: number; value: unknown }>()
  let version = 0
  host.onCall = ({ kind, request, body }) => {
    const { key, value, condition } = JSON.parse(body)
    if (key === 'silent') return
    const found = held.get(key)
    const reply = (answer: object) =>
      host.host.send({ kind: 'reply', request, reply: { ok: true, result: 'found' }, ...answer })
    const record = (of: object) => reply({ body: JSON.stringify({ key, ...of }) })
    if (kind === 'query') {
      if (found !== undefined) return record(found)
      return reply({ reply: { ok: false, code: 'record_not_found', message: 'no' } })
    }
    const isLost = condition !== undefined && condition.version !== found?.version
    if (isLost) return reply({ reply: { ok: false, code: 'version_conflict', message: 'lost' } })
    version += 1
    held.set(key, { version, value })
    return record({ version, value })
  }
}

test('handlers read and change records through the node, on the loop and in threads', async (t) => {
  const host = setup(t)
  await host.offers(1)
  answerRecords(host)
  for (const [attempt, service] of [
    ['a', 'counts'],
    ['b', 'counts'],
    ['c', 'countsThere'],
    ['d', 'countsThere'],
  ] as const) {
    host.run(attempt, service, 'n')
  }
  const values: number[] = []
  for (const attempt of ['a', 'b', 'c', 'd']) {
    const ended = await host.ended(attempt)
    assert.equal(ended.kind, 'succeeded')
    if (ended.kind === 'succeeded') values.push((ended.output as { value: number }).value)
  }
  assert.deepEqual(
    values.sort((a, b) => a - b),
    [1, 2, 3, 4],
  )
})

test('a call of the hash table that cannot be is refused with its code', async (t) => {
  const host = setup(t)
  await host.offers(1)
  answerRecords(host)
  host.run('wrong', 'wrong')
  const output = [
    'invalid_key false',
    'invalid_key false',
    'invalid_key false',
    'payload_too_large false',
    'invalid_value false',
    'version_conflict true',
  ]
  assert.deepEqual(await host.ended('wrong'), { kind: 'succeeded', output })
})

test('no call of the hash table outlives its attempt', async (t) => {
  const host = setup(t)
  await host.offers(1)
  answerRecords(host)
  host.run('asks', 'asks')
  host.abort('asks', 'cancelled')
  assert.deepEqual(await host.ended('asks'), { kind: 'cancelled' })
  assert.equal(host.received.filter(({ kind }) => kind === 'withdrawn').length, 0)
})

test('configuration is frozen, and secrets are struck out of logs and errors', async (t) => {
  for (const fail of [false, true]) {
    const config = { region: 'eu', list: [], fail }
    const settings = { config, secrets: { key: 'hunter"2!' } }
    const host = HostHarness.start(t, { 'handlers.ts': HANDLERS }, {}, { settings })
    await host.offers(1)
    host.run('told', 'told')
    const ended = await host.ended('told')
    if (fail) {
      assert.equal(ended.kind === 'failed' && ended.error.message, 'with [secret] it fails')
    } else assert.deepEqual(ended, { kind: 'succeeded', output: [config, false] })
    const line = await host.logged(/^the key is \[secret\]$/)
    assert.deepEqual(line.fields['deep'], { key: '[secret]' })
    assert.doesNotMatch(JSON.stringify([host.log, host.received]), /hunter/)
    host.run('lacks', 'lacks')
    const lacks = await host.ended('lacks')
    assert.equal(lacks.kind === 'failed' && lacks.error.code, 'secret_missing')
  }
})

test('of all notes of progress the newest is kept with the job, last', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('goes', 'goes')
  await host.ended('goes')
  const [ended] = host.received.filter((message) => message.kind === 'ended')
  const lines = JSON.parse(ended?.logs ?? '[]').map(({ message }: { message: string }) => message)
  assert.deepEqual(lines, ['x', 'progress 2 of 3: nearly'])
})

test('a handler that gives a heartbeat does not count as blocked', async (t) => {
  const host = setup(t)
  await host.offers(1)
  host.run('beats', 'beats', 2_500)
  assert.deepEqual(await host.ended('beats'), { kind: 'succeeded', output: 'beat' })
})
