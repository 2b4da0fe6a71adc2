import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { accepted, allSucceeded, BIG, submitUntilRefused } from './filling-the-log.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Enough for a start, which loads hundreds of modules at once; few enough to use up. */
const OPEN_FILES = 600

/** A plugin that takes every file there is, as one that leaks does, until it is told to let go. */
const HOARD = `
import { closeSync, existsSync, openSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

export const hoard = {
  name: 'plugin.hoard',
  version: '1.0.0',
  timeout: '5m',
  async run({ until }) {
    const taken = []
    while (!existsSync(until)) {
      try {
        for (;;) taken.push(openSync('/dev/null', 'r'))
      } catch {
        await setTimeout(50)
      }
    }
    for (const file of taken) closeSync(file)
    return taken.length
  },
}
`

const REAL_FILES = import.meta.resolve('@gyre/core/internal/adapters/real-files.js')

test('without a free descriptor files can be read, and nothing else is half done', async (t) => {
  const folder = temporaryFolder(t)
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name)
  const script = `
    const { openSync } = await import('node:fs')
    const { RealFiles } = await import(${JSON.stringify(REAL_FILES)})
    const files = new RealFiles(${JSON.stringify(folder)})
    const codeOf = (run) => { try { run(); return 'done' } catch (error) { return error.code } }
    const textOf = (path) => Buffer.from(files.readAt(path, 0, 1)).toString()
    textOf('a')
    while (codeOf(() => openSync('.', 'r')) === 'done') {}
    const codes = [
      codeOf(() => files.openForAppend('a')),
      codeOf(() => files.rename('a', 'd')),
      codeOf(() => files.remove('b')),
      await new Promise((done) => files.preallocate('d', 4096, (error) => done(error?.code))),
    ]
    process.stdout.write(JSON.stringify({ codes, texts: ['b', 'c', 'a'].map(textOf) }))`
  const found = await outputUnderLimit(64, script)
  assert.deepEqual(found, {
    codes: ['EMFILE', 'EMFILE', 'EMFILE', 'EMFILE'],
    texts: ['b', 'c', 'a'],
  })
})

test('idle connections leave a node the files it needs: it goes on while they are there', async (t) => {
  const { node, client, folder } = await startLimited(t, OPEN_FILES)
  const idle = await openIdle(t, node.url, 2 * OPEN_FILES)
  assert.ok(
    idle.filter((socket) => !socket.destroyed).length <= OPEN_FILES / 2,
    'half of the files are for connections',
  )
  const jobs = 100
  for (let job = 0; job < jobs; job += 1) {
    const { status } = await client.submit({ service: 'test.echo', input: BIG })
    assert.equal(status, 202, `job ${job}`)
  }
  assert.ok((await readdir(join(folder, 'log'))).length > 2, 'segments were made meanwhile')
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})

// Whether a submission is refused meanwhile is a race with the plugin, and both ends of it are right:
// when the log goes on to its spare segment it closes the one that is full, and that descriptor is
// enough to make the next spare, unless the plugin takes it first. A node that really gets none must
// refuse, which test/system/descriptors.test.ts shows. Here it may be lucky, but never lose a job.
test('a node whose files a plugin takes may refuse jobs, and does each that it took', async (t) => {
  const workers = temporaryFolder(t)
  await writeFile(join(workers, 'hoard.js'), HOARD)
  const { node, client, folder } = await startLimited(t, OPEN_FILES, ['--workers', workers])
  const until = join(workers, 'let-go')
  const { body: hoard } = await client.submit({ service: 'plugin.hoard', input: { until } })
  const { ids, refusal } = await submitUntilRefused(client, 300)
  if (refusal !== null) assert.equal(refusal.body.code, 'overloaded')
  await writeFile(until, '')
  assert.equal((await client.finished(hoard.id)).status, 'succeeded')
  await accepted(client)
  await node.kill()
  const again = await NodeProcess.start(t, ['--data', folder, '--workers', workers])
  await allSucceeded(RestClient.open(t, again.url), [hoard.id, ...ids])
  assert.deepEqual(await again.terminate(), { code: 0, signal: null })
})

/** A client whose connection is there before any other. */
async function startLimited(
  owner: Owner,
  openFiles: number,
  more: readonly string[] = [],
): Promise<{ node: NodeProcess; client: RestClient; folder: string }> {
  const folder = temporaryFolder(owner)
  const node = await NodeProcess.start(owner, ['--data', folder, '--init', ...more], { openFiles })
  const client = RestClient.open(owner, node.url, 1)
  assert.equal((await client.submit({ service: 'test.echo', input: 1 })).status, 202)
  return { node, client, folder }
}

/** Connections that say nothing; the node has taken or closed each of them. */
async function openIdle(owner: Owner, url: string, count: number): Promise<Socket[]> {
  const port = Number(new URL(url).port)
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  atEnd(owner, () => sockets.forEach((socket) => socket.destroy()))
  await Promise.all(sockets.map(settled))
  // The node takes connections in turn: where the last one was closed, all before it are settled.
  const last = connect(port, '127.0.0.1')
  await settled(last)
  if (!last.closed) await new Promise((closed) => last.on('close', closed))
  return sockets
}

/** Connected, or closed by the other side. */
function settled(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('connect', () => resolve())
    socket.on('close', () => resolve())
    socket.resume()
  })
}

/** What a script writes as JSON, in a process that may open so many files. */
async function outputUnderLimit(openFiles: number, script: string): Promise<unknown> {
  const command = `ulimit -n ${openFiles}; exec "$0" --input-type=module -e "$1"`
  const run = promisify(execFile)
  const { stdout } = await run('sh', ['-c', command, process.execPath, script])
  return JSON.parse(stdout)
}
