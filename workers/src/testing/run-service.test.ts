import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defineService, giveUp, type ServiceError } from '../sdk/index.js'
import { fakeDht, runService, TestClock } from './index.js'

test('a run ends as its handler does, through JSON, and never rejects', async () => {
  const done = runService({ run: (n: number) => ({ n, at: new Date(n), gone: undefined }) }, 0)
  assert.deepEqual(await done.ended, {
    kind: 'succeeded',
    output: { n: 0, at: '1970-01-01T00:00:00.000Z' },
  })
  const no = giveUp('no', 'never')
  const failed = runService({ run: () => Promise.reject(no) }, null)
  assert.deepEqual(await failed.ended, { kind: 'failed', error: no })
})

test('the timeout of a service passes by the test clock', async () => {
  const clock = new TestClock()
  const patient = defineService({
    name: 'patient',
    timeout: '10s',
    run: (_input, ctx) =>
      new Promise<never>((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
      }),
  })
  const run = runService(patient, undefined, { clock })
  await clock.advance(9_999)
  assert.equal(run.ctx.signal.aborted, false)
  await clock.advance(1)
  const ended = await run.ended
  assert.equal(ended.kind === 'failed' && (ended.error as Error).name, 'AbortError')
  assert.equal(run.ctx.signal.reason.reason, 'timed_out')
})

test('sleepers of the test clock wake in the order of their times', async () => {
  const clock = new TestClock(0)
  const woke: (readonly [string, number])[] = []
  for (const [name, ms] of [
    ['late', 20],
    ['soon', 10],
    ['never', 31],
  ] as const) {
    void clock.sleep(ms).then(() => woke.push([name, clock.now()]))
  }
  await clock.advance(30)
  assert.deepEqual(woke, [
    ['soon', 10],
    ['late', 20],
  ])
  assert.equal(clock.now(), 30)
})

test('a handler finds configuration, secrets and records, and is heard', async () => {
  const dht = fakeDht({ seen: 1 })
  const service = {
    async run(_input: null, ctx: Parameters<Parameters<typeof defineService>[0]['run']>[1]) {
      ctx.log.info('begins', { step: ctx.step })
      ctx.progress(1, 2, 'half')
      await ctx.dht.update('seen', (value) => Number(value) + 1)
      return [ctx.config['region'], ctx.secrets.get('key'), ctx.secrets.has('other')]
    },
  }
  const run = runService(service, null, { dht, config: { region: 'eu' }, secrets: { key: 's' } })
  assert.deepEqual(await run.ended, { kind: 'succeeded', output: ['eu', 's', false] })
  assert.deepEqual(run.lines, [{ level: 'info', message: 'begins', fields: { step: 'main' } }])
  assert.deepEqual(run.progressNotes, [{ done: 1, total: 2, note: 'half' }])
  assert.equal((await dht.get('seen'))?.value, 2)
})

test('a heartbeat stops a handler that shall stop', async () => {
  const clock = new TestClock()
  const counts = async (_input: null, ctx: { heartbeat(): void }): Promise<never> => {
    for (;;) {
      await clock.sleep(1)
      ctx.heartbeat()
    }
  }
  const run = runService({ run: counts }, null)
  run.abort('lease_lost')
  await clock.advance(5)
  const ended = await run.ended
  assert.equal(ended.kind === 'failed' && (ended.error as Error).name, 'AbortError')
})

test('the snippet of the guide is the code of its test', () => {
  // This file runs from workers/dist/testing.
  const folder = join(import.meta.dirname, '..', '..')
  const guide = readFileSync(join(folder, 'README.md'), 'utf8')
  const [, snippet = ''] = /```ts\n(\/\/ greet\.test\.ts\n[\s\S]*?)```\n/.exec(guide) ?? []
  const source = readFileSync(join(folder, 'src', 'testing', 'guide.test.ts'), 'utf8')
  const lines = (text: string) => text.split('\n').filter((line) => !/^(import|\/\/) /.test(line))
  assert.deepEqual(lines(snippet), lines(source))
})

test('an output that a node would refuse fails the run with the code of the node', async () => {
  const outputs = {
    output_invalid: JSON.parse('{"a":{"__proto__":1}}'),
    output_too_large: 'x'.repeat(300_000),
  }
  for (const [code, output] of Object.entries(outputs)) {
    const ended = await runService({ run: () => output }, null).ended
    assert.equal(ended.kind === 'failed' && (ended.error as ServiceError).code, code)
  }
})

test('the hash table of a test has the bounds of the real one, and gives out copies', async () => {
  const dht = fakeDht({ kept: { n: 1 } })
  const refusedAs = (code: string) => (error: ServiceError) =>
    error.code === code && !error.retryable
  await assert.rejects(dht.get(''), refusedAs('invalid_key'))
  await assert.rejects(dht.put('k'.repeat(513), 1), refusedAs('invalid_key'))
  await assert.rejects(dht.put('k', 'x'.repeat(262_143)), refusedAs('payload_too_large'))
  const nothing = undefined as unknown as number
  await assert.rejects(dht.put('k', nothing), refusedAs('invalid_value'))
  const read = (await dht.get('kept'))?.value as { n: number }
  read.n = 9
  assert.deepEqual((await dht.get('kept'))?.value, { n: 1 })
})
