import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Load } from './load.js'
import { NodeProcess, temporaryFolder } from './node-process.js'
import { RestClient } from './rest-client.js'

/** How long each life lasts under load, milliseconds: somewhere in the middle of everything. */
const LIVES_MS = [700, 350, 1100, 500, 900]

test('five kill -9 under load: every acknowledged job finishes, no acknowledged write is lost', async (t) => {
  const folder = await temporaryFolder(t)
  const load = new Load()
  for (const [life, lifeMs] of LIVES_MS.entries()) {
    const node = await NodeProcess.start(t, ['--data', folder, ...(life === 0 ? ['--init'] : [])])
    const clients = load.runUntilGone(node.url)
    await pause(lifeMs)
    await node.kill()
    await clients
  }
  const node = await NodeProcess.start(t, ['--data', folder])
  const client = new RestClient(node.url)
  t.after(() => client.close())
  t.diagnostic(`${load.jobCount} jobs acknowledged`)
  assert(load.jobCount > 100, `only ${load.jobCount} jobs: no load worth the name`)
  await load.check(client)
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})
