import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { DevProcess } from './dev-process.js'
import { type Exit, NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

const GRACEFUL = { code: 0, signal: null }
const FAILED = { code: 1, signal: null }
/** Keeps a graceful stop waiting for seconds, so that what cuts it short is told from its end. */
const LONG = { service: 'test.sleep', input: { ms: 60_000 } }

test('gyre dev runs its node in another process and leaves nothing behind after SIGTERM', async (t) => {
  const dev = await DevProcess.start(t)
  assert.notEqual(dev.nodePid, dev.pid)
  assert.equal((await dev.dataFolders()).length, 1)
  dev.kill('SIGTERM')
  assert.deepEqual(await dev.exit(), GRACEFUL)
  await dev.gone()
  assert.deepEqual(await dev.dataFolders(), [])
})

test('Ctrl-C in a terminal, which reaches dev and its node alike, ends both in good order', async (t) => {
  const dev = await DevProcess.start(t)
  dev.killGroup('SIGINT')
  assert.deepEqual(await dev.exit(), GRACEFUL)
  await dev.gone()
  assert.deepEqual(await dev.dataFolders(), [])
})

test('a signal that arrives many times at once is one wish to stop, in dev and in start', async (t) => {
  const dev = await DevProcess.start(t)
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  for (const { pid, exit } of [
    { pid: dev.pid, exit: dev.exit() },
    { pid: node.pid, exit: node.exited },
  ]) {
    for (let n = 0; n < 10; n += 1) {
      process.kill(pid, 'SIGTERM')
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(await exit, GRACEFUL)
  }
})

test('who insists on the end of a node in the foreground does not wait for attempts', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  assert.equal((await client.submit(LONG)).status, 202)
  assert.deepEqual(await insist(node.pid, node.exited, 'SIGTERM'), {
    code: null,
    signal: 'SIGTERM',
  })
})

test('who insists on the end of gyre dev does not wait for attempts, and finds nothing left', async (t) => {
  const dev = await DevProcess.start(t)
  assert.equal((await dev.client.submit(LONG)).status, 202)
  assert.deepEqual(await insist(dev.pid, dev.exit(), 'SIGINT'), FAILED)
  await dev.gone()
  assert.match(dev.stderr, /killing the node/)
  assert.deepEqual(await dev.dataFolders(), [])
})

test('a node that is killed ends gyre dev with its cause, exit code 1, and its folder', async (t) => {
  const dev = await DevProcess.start(t)
  process.kill(dev.nodePid, 'SIGKILL')
  assert.deepEqual(await dev.exit(), FAILED)
  assert.match(dev.stderr, /node has ended by itself \(SIGKILL\)/)
  assert.deepEqual(await dev.dataFolders(), [])
})

test('a gyre dev that is killed leaves no node and no folder behind', async (t) => {
  const dev = await DevProcess.start(t)
  dev.kill('SIGKILL')
  await dev.gone()
  assert.deepEqual(await dev.dataFolders(), [])
})

test('SIGTERM to npx gyre dev ends the node, whether or not its shell passes signals on', async (t) => {
  const dev = await DevProcess.start(t, { launcher: ['npx', '--no', '--', 'gyre'] })
  dev.kill('SIGTERM')
  await dev.gone()
  assert.match(dev.stderr, /: stopping/)
  assert.deepEqual(await dev.dataFolders(), [])
})

test('gyre dev --data keeps the folder, and resumes the node in it', async (t) => {
  const args = ['--data', join(temporaryFolder(t), 'kept')]
  const first = await DevProcess.start(t, { args })
  const put = await first.client.call('PUT', '/v1/dht/kept', { body: 1 })
  assert.equal(put.status, 201)
  first.killGroup('SIGTERM')
  assert.deepEqual(await first.exit(), GRACEFUL)
  const second = await DevProcess.start(t, { args })
  assert.equal((await second.client.call('GET', '/v1/dht/kept')).body.value, 1)
})

test('gyre dev takes the next port when the one asked for is taken', async (t) => {
  const first = await DevProcess.start(t)
  const { port } = new URL(first.url)
  const second = await DevProcess.start(t, { args: ['--api', port] })
  assert(Number(new URL(second.url).port) > Number(port))
})

test('settings of gyre start in the environment do not change what gyre dev starts', async (t) => {
  const environment = { GYRE_JOIN: '127.0.0.1:1', GYRE_BUILT_INS: 'false' }
  const args = ['--data', join(temporaryFolder(t), 'data')]
  const dev = await DevProcess.start(t, { args, environment })
  const { body } = await dev.client.submit({ service: 'test.echo', input: 1 })
  assert.equal((await dev.client.finished(body.id)).status, 'succeeded')
})

/** How often somebody presses Ctrl-C who does not want to wait. */
const PRESS_MS = 100

/** Sends the signal again and again until the process has ended. */
async function insist(pid: number, exit: Promise<Exit>, signal: NodeJS.Signals): Promise<Exit> {
  const press = setInterval(() => {
    // It may have ended between two presses, before its end was noticed here.
    if (isAlive(pid)) process.kill(pid, signal)
  }, PRESS_MS)
  try {
    return await exit
  } finally {
    clearInterval(press)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
