import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

test('an empty folder without --init is refused, with the two ways out', async (t) => {
  const folder = temporaryFolder(t)
  const node = NodeProcess.spawn(t, ['--data', folder])
  assert.equal((await node.ended()).code, 1)
  assert.match(node.stderr, /--init/)
  assert.match(node.stderr, /--join/)
  assert.deepEqual(await readdir(folder), [], 'nothing was created')
})

test('--init on a used folder is refused and leaves the node in it unharmed', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init'])
  assert.equal((await first.terminate()).code, 0)
  const second = NodeProcess.spawn(t, ['--data', folder, '--init'])
  assert.equal((await second.ended()).code, 1)
  assert.match(second.stderr, /without --init/)
  const third = await NodeProcess.start(t, ['--data', folder])
  assert.equal(third.id, first.id, 'the node resumed is the same')
})

test('a name and arcs that a folder was not made with are said to have no effect', async (t) => {
  const made = ['--data', temporaryFolder(t), '--name', 'first', '--arcs', '16']
  const first = await NodeProcess.start(t, [...made, '--init'])
  await first.terminate()
  const same = await NodeProcess.start(t, made)
  assert.doesNotMatch(same.stderr, /no effect/)
  await same.terminate()
  const other = await NodeProcess.start(t, [...made, '--name', 'other', '--arcs', '32'])
  assert.match(other.stderr, /keeps the name first .* --name has no effect/)
  assert.match(other.stderr, /keeps the 16 arcs .* --arcs has no effect/)
})

test('a second process on the same folder is refused, and the first goes on', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init'])
  const second = NodeProcess.spawn(t, ['--data', folder])
  assert.equal((await second.ended()).code, 1)
  assert.match(second.stderr, /another Gyre process uses the data folder/)
  const client = RestClient.open(t, first.url)
  const { body } = await client.submit({ service: 'test.echo', input: 1 })
  assert.equal((await client.finished(body.id)).status, 'succeeded')
})

test('SIGTERM stops a node in the middle of an attempt with exit code 0, and the attempt is handed back', async (t) => {
  const folder = temporaryFolder(t)
  const node = await NodeProcess.start(t, ['--data', folder, '--init'])
  const client = RestClient.open(t, node.url)
  const { status, body } = await client.submit({ service: 'test.sleep', input: { ms: 60_000 } })
  assert.equal(status, 202)
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
  const again = await NodeProcess.start(t, ['--data', folder])
  const later = RestClient.open(t, again.url)
  assert.equal((await later.call('POST', `/v1/jobs/${body.id}/cancel`)).status, 202)
  const { status: end, steps } = await later.finished(body.id)
  assert.equal(end, 'cancelled', 'it had not ended with the node')
  assert.equal(steps[0]?.attempts[0]?.outcome, 'lost')
})

test('SIGINT stops a node with exit code 0', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  assert.deepEqual(await node.terminate('SIGINT'), { code: 0, signal: null })
})

test('a log whose end is gone after a clean stop is refused, with and without the state', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init'])
  const client = new RestClient(first.url)
  for (let n = 0; n < 5; n += 1) await client.submit({ service: 'test.echo', input: n })
  await client.close()
  assert.equal((await first.terminate()).code, 0)
  await zeroLogTail(join(folder, 'log'))
  for (const loseState of [false, true]) {
    if (loseState) await rm(join(folder, 'state'), { recursive: true })
    const again = NodeProcess.spawn(t, ['--data', folder])
    assert.equal((await again.ended()).code, 1)
    assert.match(again.stderr, /the log ends at batch .* acknowledged entries are missing/)
  }
})

test('a state database that is gone is rebuilt from the log', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init'])
  const before = new RestClient(first.url)
  const { body: done } = await before.submit({ service: 'test.echo', input: { kept: true } })
  const job = await before.finished(done.id)
  const put = await before.call('PUT', '/v1/dht/kept', { body: { deep: [1, 2, 3] } })
  await before.close()
  assert.equal((await first.terminate()).code, 0)

  const removed = await removeState(folder)
  assert(removed > 0, 'there was a state database to remove')

  const second = await NodeProcess.start(t, ['--data', folder])
  const after = RestClient.open(t, second.url)
  assert.deepEqual((await after.call('GET', `/v1/jobs/${done.id}`)).body, job)
  const record = await after.call('GET', '/v1/dht/kept')
  assert.deepEqual(record.body.value, { deep: [1, 2, 3] })
  assert.equal(record.body.version, put.body.version)
})

/** Deletes every file of the state store, and counts them. */
async function removeState(folder: string): Promise<number> {
  const names = await readdir(folder)
  const state = names.filter((name) => name.startsWith('state'))
  for (const name of state) await rm(join(folder, name), { recursive: true })
  return state.length
}

/** Zeroes the last 64 KiB that were written to the log, as if they had never been. */
async function zeroLogTail(folder: string): Promise<void> {
  const segments = (await readdir(folder)).filter((name) => name.startsWith('segment')).sort()
  for (const name of segments.toReversed()) {
    const path = join(folder, name)
    const content = await readFile(path)
    let end = content.length
    while (end > 0 && content[end - 1] === 0) end -= 1
    if (end === 0) continue
    const block = Math.ceil(end / 4096) * 4096
    content.fill(0, Math.max(0, block - 64 * 1024), block)
    await writeFile(path, content)
    return
  }
  assert.fail('the log holds nothing')
}
