import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from '../integration/node-process.js'
import { fuzz } from './fuzz.js'

/** A share of `npm run fuzz`, which sends a million and also watches the memory. */
const REQUESTS = 6000

test('drawn requests, right and wrong, are answered as the contract says, and the refused ones leave nothing behind', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const { url, pid } = node
  const { violations, statuses } = await fuzz({ url, pid, requests: REQUESTS, seed: 7 })
  assert.deepEqual(violations, [])
  t.diagnostic(JSON.stringify(statuses))
  // Were all refused at the door, nothing behind it would have been met.
  for (const status of [200, 201, 202, 204, 400, 404, 409, 412, 415, 422]) {
    assert.ok((statuses[status] ?? 0) > 0, `nothing was answered with ${status}`)
  }
  assert.equal((await node.terminate()).code, 0)
  assert.doesNotMatch(node.stderr, /by the node's own fault/)
})
