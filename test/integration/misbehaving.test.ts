import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Handlers that do what handlers must not do: body of each, and how its attempt ends. */
const HARMLESS: Readonly<Record<string, readonly [body: string, ends: string]>> = {
  throwsText: [`throw 'no error'`, 'failed service_failed'],
  throwsNull: ['throw null', 'failed service_failed'],
  throwsTrap: [
    `throw new Proxy({}, { get() { throw new Error('trap') } })`,
    'failed service_failed',
  ],
  throwsMuch: [`throw new Error('y'.repeat(1e6))`, 'failed service_failed'],
  overflows: ['const deeper = () => deeper(); deeper()', 'failed service_failed'],
  exits: ['process.exit(3)', 'failed service_failed'],
  aborts: ['process.abort()', 'failed service_failed'],
  kills: [`process.kill(process.pid, 'SIGKILL')`, 'failed service_failed'],
  cyclic: ['const a = {}; a.a = a; return a', 'failed output_invalid'],
  bigint: ['return 1n', 'failed output_invalid'],
  function: ['return () => 1', 'failed output_invalid'],
  noJson: [`return { toJSON() { throw new Error('no') } }`, 'failed output_invalid'],
  nested: ['let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a', 'failed output_invalid'],
  large: [`return 'x'.repeat(300_000)`, 'failed output_too_large'],
  rejectsAlone: [`Promise.reject(new Error('alone'))`, 'succeeded'],
  throwsLater: [
    `setTimeout(() => { throw new Error('later') }, 1); return new Promise((r) => setTimeout(r, 50))`,
    'succeeded',
  ],
  leaksTimers: ['for (let i = 0; i < 1000; i++) setInterval(() => {}, 1)', 'succeeded'],
  floods: [`for (let i = 0; i < 1e5; i++) ctx.log.info('line ' + i)`, 'succeeded'],
  prints: ['for (let i = 0; i < 1e4; i++) console.log(i)', 'succeeded'],
  removesListeners: ['process.removeAllListeners()', 'succeeded'],
  writesToParent: [
    `const { parentPort } = await import('node:worker_threads'); parentPort.postMessage({ kind: 'ready' })`,
    'succeeded',
  ],
}

/** These cost their thread; what comes after them finds another one. */
const HARMFUL: Readonly<Record<string, readonly [body: string, ends: string]>> = {
  spins: ['for (;;);', 'timed_out attempt_timed_out'],
  bendsBuiltIns: [
    `JSON.stringify = () => 'bent'; Promise.prototype.then = () => {}; Object.prototype.bent = 1`,
    'timed_out attempt_timed_out',
  ],
  hoardsBuffers: [
    'const all = []; for (;;) { all.push(Buffer.alloc(1e7, 1)); await new Promise((r) => setTimeout(r, 5)) }',
    'failed memory_exceeded',
  ],
}

function moduleText(): string {
  const plain = Object.entries({ ...HARMLESS, ...HARMFUL }).map(([name, [body]]) => {
    const own = name === 'hoardsBuffers' ? `isolation: 'thread', requires: { memoryMb: 100 },` : ''
    // What ends by itself may take its time; the others are waited for.
    const timeout = name in HARMFUL ? '2s' : '60s'
    return `export const ${name}_ = {
  name: 'bad.${name}', timeout: '${timeout}', retry: { attempts: 1 }, ${own}
  async run(input, ctx) { ${body} },
}`
  })
  return [
    ...plain,
    `export const good = { name: 'good', run: () => ({ bent: {}.bent ?? 0 }) }`,
  ].join('\n')
}

test('whatever handlers do, their attempts end and nobody else notices', async (t) => {
  const folder = temporaryFolder(t)
  const plugins = temporaryFolder(t)
  await writeFile(join(plugins, 'bad.js'), moduleText())
  await writeFile(join(plugins, 'throws.js'), `throw new Error('this module cannot load')`)
  await writeFile(join(plugins, 'exits.js'), 'process.exit(7)')
  const start = ['--data', join(folder, 'data'), '--init', '--workers', plugins]
  const node = await NodeProcess.start(t, start)
  const rest = RestClient.open(t, node.url)
  const endOf = async (name: string): Promise<string> => {
    const { body } = await rest.submit({ service: `bad.${name}` })
    const [attempt] = (await rest.finished(body.id)).steps[0]?.attempts ?? []
    return [attempt?.outcome, attempt?.error?.code].filter((part) => part !== undefined).join(' ')
  }
  const goodIsGood = async (): Promise<void> => {
    const { body } = await rest.submit({ service: 'good' })
    assert.deepEqual((await rest.finished(body.id)).output, { bent: 0 })
  }

  const ended = await Promise.all(
    Object.keys(HARMLESS).map(async (name) => [name, await endOf(name)]),
  )
  assert.deepEqual(
    ended,
    Object.entries(HARMLESS).map(([name, [, ends]]) => [name, ends]),
  )
  await goodIsGood()
  for (const [name, [, ends]] of Object.entries(HARMFUL)) {
    assert.deepEqual([name, await endOf(name)], [name, ends])
    await goodIsGood()
  }
  assert.match(node.stderr, /plugin exits\.js is left out: .*process\.exit would end the node/)
  assert.match(node.stderr, /service bad\.spins, .*has blocked its thread/)
  assert.match(node.stderr, /nobody caught in service bad\.throwsLater: later/)
  assert.ok(node.stderr.length < 2_000_000, `${node.stderr.length} characters in the node's log`)
})
