import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Load } from './load.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess, within } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Jobs acknowledged in each life before it ends: somewhere in the middle of everything. */
const LIVES = [70, 20, 110, 40, 90]
/** A life that acknowledges so little in a minute is stuck. */
const LIFE_TIMEOUT_MS = 60_000

test('five kill -9 under load: every acknowledged job finishes, no acknowledged write is lost', async (t) => {
  const folder = temporaryFolder(t)
  const load = new Load()
  for (const [life, jobs] of LIVES.entries()) {
    const node = await NodeProcess.start(t, ['--data', folder, ...(life === 0 ? ['--init'] : [])])
    const enough = load.acknowledgeMore(jobs)
    const clients = load.runUntilGone(node.url)
    await within(LIFE_TIMEOUT_MS, enough, () => `fewer than ${jobs} jobs: ${node.stderr}`)
    await node.kill()
    await clients
  }
  const node = await NodeProcess.start(t, ['--data', folder])
  const client = RestClient.open(t, node.url)
  await load.check(client)
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})
