import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import { HostHarness } from './testing/host-harness.js'

const HANDLERS = `
const wait = (ms, signal) => new Promise((resolve, reject) => {
  setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => reject(signal.reason))
})
const service = (name, run, more = {}) => ({ name, run, ...more })
export const handlers = [].concat(
  service('echo', (input, ctx) => ({ input, fence: ctx.fence, job: ctx.job, key: ctx.idempotencyKey, step: ctx.step })),
  service('throws', () => { throw new Error("cannot open '/srv/secret/place/x.txt'") }),
  service('throwsNothing', () => { throw undefined }),
  service('bigint', () => 1n),
  service('big', () => 'x'.repeat(300000)),
  service('typed', (input) => input, { input: { type: 'object' }, output: { required: ['done'] } }),
  service('patient', (input, ctx) => wait(600000, ctx.signal)),
  service('naps', (ms) => wait(ms)),
  service('deaf', () => new Promise(() => {})),
  service('lateBlock', async () => { await wait(30); await null; for (;;); }),
  service('leaves', () => { setTimeout(() => { for (;;); }, 30); return 'done' }),
  service('busy', (ms) => { const end = Date.now() + ms; while (Date.now() < end); return 'busy' }),
  service('bends', () => { JSON.stringify = () => '}'; return { bent: true } }),
  service('forges', async () => {
    const { then } = Promise.prototype
    Promise.prototype.then = function (done, ...more) {
      const forged = (value) => done(String(value).startsWith('{"kind"') ? "{'kind':" : value)
      return then.call(this, done && forged, ...more)
    }
    return 1
  }),
  service('exits', () => process.exit(3)),
  service('kills', () => process.kill(process.pid, 'SIGKILL')),
  service('hoards', async () => { await wait(1); const all = []; for (;;) all.push(new Array(10000).fill(all.length)) }),
  service('grows', async () => { await wait(1); const all = []; for (;;) all.push(1.5) }),
  service('strays', () => {
    setTimeout(() => { throw new Error('late') }, 1)
    void Promise.reject(new Error('unheard'))
    return wait(30)
  }),
  service('floods', async (count, ctx) => {
    for (let i = 0; i < count; i += 1) void Promise.reject(new Error('x'.repeat(1000)))
    await wait(1)
    ctx.log.info('flooded')
  }),
  service('logs', (input, ctx) => {
    ctx.log.info('long' + 'x'.repeat(100000), { i: 0, more: 'y'.repeat(10000) })
    for (let i = 1; i < 20000; i += 1) ctx.log.info('line', { i })
    ctx.log.error('the end', { i: 20000 })
  }),
  service('undoes', () => 1, { compensate: (input, output) => ({ input, output }) }),
)
`

test('handlers end as what they return or throw, each exactly once', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  const { services, failures } = await host.offers(1)
  assert.deepEqual(failures, [])
  assert.equal(services.length, 22)
  const failed =
    (code: string, retryable: boolean, message?: string) => (outcome: AttemptOutcome) => {
      assert.equal(outcome.kind, 'failed')
      if (outcome.kind !== 'failed') return
      assert.deepEqual([outcome.error.code, outcome.error.retryable], [code, retryable])
      if (message !== undefined) assert.equal(outcome.error.message, message)
    }
  const cases: readonly (readonly [string, unknown, (outcome: AttemptOutcome) => void])[] = [
    ['throws', null, failed('service_failed', true, "cannot open '…/x.txt'")],
    ['throwsNothing', null, failed('service_failed', true)],
    ['bigint', null, failed('output_invalid', false)],
    ['big', null, failed('output_too_large', false)],
    ['typed', 5, failed('schema_mismatch', false)],
    ['typed', {}, failed('output_invalid', false)],
    ['exits', null, failed('service_failed', true)],
    ['kills', null, failed('service_failed', true)],
    ['typed', { done: 1 }, (o) => assert.deepEqual(o, { kind: 'succeeded', output: { done: 1 } })],
    ['strays', null, (o) => assert.deepEqual(o, { kind: 'succeeded', output: null })],
    ['missing', null, (o) => assert.deepEqual(o, { kind: 'not_started' })],
  ]
  cases.forEach(([service, input], index) => host.run(`${index}`, service, input))
  for (const [index, [, , check]] of cases.entries()) check(await host.ended(`${index}`))
  for (const index of cases.keys()) assert.equal(host.endsOf(`${index}`).length, 1)
  const stray = await host.logged(
    /a rejected promise that nobody awaited in service strays: unheard/,
  )
  assert.equal(stray.fields['attempt'], '9')
  await host.logged(/an exception that nobody caught in service strays: late/)
  assert.equal(host.received.filter(({ kind }) => kind === 'withdrawn').length, 0)
})

test('a flood of errors that nobody caught becomes a few lines and one with their number', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('a', 'floods', 1_000)
  assert.equal((await host.ended('a')).kind, 'succeeded')
  await host.logged(/^flooded$/)
  const summary = await host.logged(/ more errors that nobody caught/)
  assert.match(summary.message, /^990 more .*: service floods 990; await what you start/)
  const shown = host.log.filter(({ message }) => message.startsWith('a rejected promise'))
  assert.equal(shown.length, 10)
})

test('a handler gets its context, compensation its input and output, and a log with a limit', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('a', 'echo', { x: 1 })
  const body = JSON.stringify({ input: 1, output: 2 })
  host.run('b', 'undoes', null, { hook: 'compensate', body })
  host.run('c', 'logs')
  const output = { input: { x: 1 }, fence: 9, job: 'ab'.repeat(16), key: 'key', step: 'main' }
  assert.deepEqual(await host.ended('a'), { kind: 'succeeded', output })
  assert.deepEqual(await host.ended('b'), { kind: 'succeeded', output: { input: 1, output: 2 } })
  await host.ended('c')
  const own = host.log.filter(({ fields }) => fields['attempt'] === 'c')
  assert.match(
    own[0]?.message ?? '',
    /^longx+ … \[cut: 100004 characters in all\] \[fields left out: \d+ bytes\]$/,
  )
  assert.equal(own.at(-1)?.message, 'the end')
  // One gap for each pause that it logged through.
  const gaps = own.filter(({ message }) => / lines were left out: /.test(message)).length
  assert.ok(gaps > 0)
  const size = own.reduce((sum, { message }) => sum + message.length, 0)
  assert.ok(size < gaps * 64 * 1024, `${size} characters in the log of the node, ${gaps} gaps`)
  // Told in as many messages as it took pauses: each line has its place behind those that are gone.
  let place = -1
  for (const { logs, logsDropped } of host.newsOf('c')) {
    assert.ok(logs.length < 65 * 1024, `${logs.length} characters`)
    place += logsDropped
    for (const { fields } of JSON.parse(logs)) {
      place += 1
      if (place > 0) assert.equal(fields.i, place)
    }
  }
  assert.equal(place, 20_000)
})

test('lines that wait in the services thread when it is ended are counted as gone, attempt by attempt', async (t) => {
  const drowns = `export const drowns = {
    name: 'drowns',
    run: async (count, ctx) => {
      for (let i = 1; i <= count; i += 1) ctx.log.info('line', { i })
      await new Promise((resolve) => setTimeout(resolve, count / 50))
      for (;;);
    },
  }`
  const host = HostHarness.supervisor(t, { 'drowns.mjs': drowns }, { blockedAfterMs: 1_000 })
  await host.offers(1)
  host.run('a', 'drowns', 3_000)
  host.run('b', 'drowns', 4_000)
  for (const [attempt, count] of [
    ['a', 3_000],
    ['b', 4_000],
  ] as const) {
    await host.ended(attempt)
    let lines = 0
    for (const { logs, logsDropped } of host.newsOf(attempt))
      lines += JSON.parse(logs).length + logsDropped
    assert.equal(lines, count, attempt)
  }
})

test('an abort ends a handler that heeds it as the reason says, and no other', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  for (const attempt of ['a', 'b', 'c', 'd']) host.run(attempt, 'patient')
  host.abort('a', 'timed_out')
  host.abort('b', 'cancelled')
  host.abort('c', 'stopping')
  assert.deepEqual(await host.ended('a'), { kind: 'timed_out' })
  assert.deepEqual(await host.ended('b'), { kind: 'cancelled' })
  assert.deepEqual(await host.ended('c'), { kind: 'lost', charged: false })
  assert.deepEqual(host.endsOf('d'), [])
})

test('a handler that ignores its abort costs the thread; its neighbours are lost, uncharged', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('deaf', 'deaf')
  host.run('neighbour', 'patient')
  host.abort('deaf', 'cancelled')
  assert.deepEqual(await host.ended('deaf'), { kind: 'cancelled' })
  assert.deepEqual(await host.ended('neighbour'), { kind: 'lost', charged: false })
  const line = await host.logged(/has not settled 300 ms after its abort signal/)
  assert.equal(line.fields['attempt'], 'deaf')
  await host.offers(2)
  const kinds = host.received.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['offers', 'withdrawn', 'ended', 'ended', 'offers'])
})

test('an abort that a busy neighbour keeps from being heard is no reason to end the thread', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('patient', 'patient')
  host.run('busy', 'busy', 1_500)
  await host.logged(/^service busy.* has blocked its thread for \d+ ms$/)
  host.abort('patient', 'cancelled')
  assert.deepEqual(await host.ended('patient'), { kind: 'cancelled' })
  assert.deepEqual(await host.ended('busy'), { kind: 'succeeded', output: 'busy' })
  assert.equal(host.received.filter(({ kind }) => kind === 'withdrawn').length, 0)
})

test('a plugin that replaces JSON.stringify gets nothing but JSON out of its thread', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('a', 'bends')
  assert.deepEqual(await host.ended('a'), { kind: 'succeeded', output: { bent: true } })
  host.run('b', 'echo', 1)
  assert.equal((await host.ended('b')).kind, 'succeeded')
})

test('a report that is no outcome fails the attempt before it goes any further', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('a', 'forges')
  const outcome = await host.ended('a')
  assert.equal(outcome.kind === 'failed' && outcome.error.code, 'output_invalid')
  await host.logged(/^service forges, attempt a, reported what is no outcome/)
})

test('a handler that blocks after an await is named among others in flight, and alone timed out', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS }, { blockedAfterMs: 1_000 })
  await host.offers(1)
  for (let index = 0; index < 5; index += 1) host.run(`before${index}`, 'patient')
  host.run('blocker', 'lateBlock')
  for (let index = 0; index < 5; index += 1) host.run(`after${index}`, 'patient')
  await host.logged(/^service lateBlock, attempt blocker, has blocked its thread for \d+ ms$/)
  assert.deepEqual(await host.ended('blocker'), { kind: 'timed_out' })
  for (const name of ['before0', 'before4', 'after0', 'after4']) {
    assert.deepEqual(await host.ended(name), { kind: 'lost', charged: false })
  }
  await host.offers(2)
  host.run('again', 'echo')
  assert.equal((await host.ended('again')).kind, 'succeeded')
})

test('a healthy handler is never judged blocked, whatever ends in the turn that starts it', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS }, { blockedAfterMs: 1_000 })
  await host.offers(1)
  host.run('quick', 'echo')
  host.abort('quick', 'cancelled')
  host.run('slow', 'naps', 2_500)
  assert.equal((await host.ended('quick')).kind, 'succeeded')
  assert.deepEqual(await host.ended('slow'), { kind: 'succeeded', output: null })
  const kinds = host.received.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['offers', 'ended', 'ended'])
})

test('code that a settled attempt left behind is named when it blocks the thread', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS }, { blockedAfterMs: 1_000 })
  await host.offers(1)
  host.run('victim', 'patient')
  host.run('culprit', 'leaves')
  assert.deepEqual(await host.ended('culprit'), { kind: 'succeeded', output: 'done' })
  assert.deepEqual(await host.ended('victim'), { kind: 'lost', charged: false })
  const line = await host.logged(/is restarted/)
  assert.equal(line.fields['attempt'], 'culprit')
  assert.equal(host.endsOf('culprit').length, 1)
})

for (const [how, hoarder] of [
  ['many objects', 'hoards'],
  ['one large array', 'grows'],
]) {
  test(`a thread out of memory by ${how} charges the handler on its CPU, and comes back`, async (t) => {
    const options = { heapMb: 48 }
    const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS }, options)
    await host.offers(1)
    host.run('neighbour', 'patient')
    host.run('hoarder', `${hoarder}`)
    assert.deepEqual(await host.ended('hoarder'), { kind: 'lost', charged: true })
    assert.deepEqual(await host.ended('neighbour'), { kind: 'lost', charged: false })
    await host.logged(new RegExp(`48 MiB of memory; on its CPU was service ${hoarder}`))
    await host.offers(2)
    // On a crowded machine it may take more than a second to fill the memory, which is told as well.
    const kinds = host.received.map(({ kind }) => kind).filter((kind) => kind !== 'blocked')
    assert.deepEqual(kinds, ['offers', 'withdrawn', 'ended', 'ended', 'offers'])
  })
}

test('while the thread is down, and beyond its slots, attempts are said not to have started', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS }, { totalSlots: 2 })
  host.run('early', 'echo')
  assert.deepEqual(await host.ended('early'), { kind: 'not_started' })
  await host.offers(1)
  host.run('a', 'patient')
  host.run('b', 'patient')
  host.run('b', 'patient')
  host.run('c', 'patient')
  assert.deepEqual(await host.ended('c'), { kind: 'not_started' })
  assert.deepEqual([...host.endsOf('a'), ...host.endsOf('b')], [])
})

test('stop aborts what runs, waits for it, and reports the deaf before it is done', async (t) => {
  const host = HostHarness.supervisor(t, { 'handlers.mjs': HANDLERS })
  await host.offers(1)
  host.run('patient', 'patient')
  host.run('deaf', 'deaf')
  await host.stop()
  assert.deepEqual(host.endsOf('patient').length, 1)
  assert.deepEqual(host.endsOf('deaf').length, 1)
  host.run('late', 'echo')
  assert.deepEqual(await host.ended('late'), { kind: 'not_started' })
})

test('plugins that fail to load are named with what to do, and stop nobody else', async (t) => {
  const files = {
    'a-syntax.js': 'export const x = (',
    'b-throws.mjs': "throw new Error('no config in /etc/app/x.json')",
    'c-empty.mjs': 'export const x = 1',
    'd-wrong.mjs': "export default { name: 'x', run: 5 }",
    'e-never.mjs': 'await new Promise(() => {})',
    'f-good.mjs': "export default { name: 'good', run: () => 1 }",
    'g-other.cjs': '',
    'h-duplicate.js': "module.exports = { again: { name: 'good', run: () => 2 } }",
    'i-job.mjs': "export const job = { name: 'j', steps: { a: { service: 'good' } } }",
    'k.test.mjs': "throw new Error('a test is no plugin')",
    'l-types.d.ts': 'export declare const x: number',
  }
  const host = HostHarness.supervisor(t, files, { loadMs: 3_000 })
  const { services, jobs, failures } = await host.offers(1)
  assert.deepEqual(
    services.map(({ name }) => name),
    ['good'],
  )
  assert.deepEqual(
    jobs.map(({ name }) => name),
    ['j'],
  )
  assert.deepEqual(
    failures.map(({ file, error }) => [file, error.code]),
    [
      ['a-syntax.js', 'plugin_failed'],
      ['b-throws.mjs', 'plugin_failed'],
      ['c-empty.mjs', 'plugin_empty'],
      ['d-wrong.mjs', 'definition_invalid'],
      ['e-never.mjs', 'plugin_load_timeout'],
      ['h-duplicate.js', 'definition_duplicate'],
    ],
  )
  assert.match(failures[1]?.error.message ?? '', /no config in …\/x\.json/)
  host.run('a', 'good')
  assert.deepEqual(await host.ended('a'), { kind: 'succeeded', output: 1 })
})

test('the start of a thread is not held to the time that a module has', async (t) => {
  const host = HostHarness.supervisor(t, {}, { loadMs: 1 })
  await host.offers(1)
  assert.deepEqual(host.log, [])
})

test('a plugin that awaits something for long while it loads is named before it is given up', async (t) => {
  const files = { 'a-never.mjs': 'await new Promise(() => {})' }
  const host = HostHarness.supervisor(t, files, { loadMs: 1_200 })
  await host.offers(1)
  const lines = host.log.map(({ message }) => message.replace(/;.*/, ''))
  assert.deepEqual(lines, [
    'plugin a-never.mjs is still loading after 200 ms',
    'plugin a-never.mjs is left out: it was still loading after 1200 ms',
  ])
})

test('a plugin that blocks or ends the thread while it loads is left out of the next life', async (t) => {
  const files = {
    'a-blocks.mjs': 'for (;;);',
    'b-dies.mjs': 'const all = []; for (;;) all.push(new Array(10000).fill(1))',
    'c-good.mjs': "export default { name: 'good', run: () => 1 }",
  }
  const host = HostHarness.supervisor(t, files, { loadMs: 4_000, heapMb: 48 })
  const { services, failures } = await host.offers(1)
  assert.deepEqual(
    services.map(({ name }) => name),
    ['good'],
  )
  const codes = failures.map(({ file, error }) => `${file} ${error.code}`)
  assert.deepEqual(codes, ['a-blocks.mjs plugin_blocked', 'b-dies.mjs plugin_died'])
})

test('plugins in TypeScript and JavaScript find @gyre/workers and @gyre/jobs from any folder', async (t) => {
  const files = {
    'a.ts': `
      import { defineService, giveUp, type ServiceContext } from '@gyre/workers'
      export const a = defineService({
        name: 'a',
        input: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
        run(input, ctx: ServiceContext) {
          const n: number = input.n
          if (n < 0) throw giveUp('negative', 'n is below zero', { n })
          return { n, attempt: ctx.attempt }
        },
      })`,
    'b.mjs': `
      import { defineService } from '@gyre/workers'
      import { defineJob } from '@gyre/jobs'
      export default defineService({ name: 'b', run: () => 'b' })
      export const job = defineJob({ name: 'jb', steps: { one: { service: 'b' } } })`,
    'c.js': `
      const { defineService } = require('@gyre/workers')
      exports.c = defineService({ name: 'c', run: () => 'c' })`,
  }
  const host = HostHarness.supervisor(t, files)
  const { services, jobs, failures } = await host.offers(1)
  assert.deepEqual(failures, [])
  assert.deepEqual(
    services.map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  assert.deepEqual(
    jobs.map(({ name }) => name),
    ['jb'],
  )
  host.run('1', 'a', { n: 1 })
  host.run('2', 'a', { n: -1 })
  assert.deepEqual(await host.ended('1'), { kind: 'succeeded', output: { n: 1, attempt: 1 } })
  const error = {
    code: 'negative',
    message: 'n is below zero',
    retryable: false,
    details: { n: -1 },
  }
  assert.deepEqual(await host.ended('2'), { kind: 'failed', error })
})
