import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { submitUntilRefused } from '../integration/filling-the-log.js'
import { NodeProcess, within } from '../integration/node-process.js'
import { RestClient } from '../integration/rest-client.js'

/** Two segments of the log, and as much again. */
const VOLUME = '64m'
/** Jobs of 400 KiB: far more than the volume holds. */
const JOBS_MAX = 1_000
const RECOVERY_TIMEOUT_MS = 60_000
const ROUNDS = 3

test('a disk that jobs have filled is usable again once jobs are deleted, with nothing else freed', async (t) => {
  const node = await NodeProcess.start(t, ['--data', join(smallVolume(t), 'data'), '--init'])
  const client = RestClient.open(t, node.url)
  for (let round = 0; round < ROUNDS; round += 1) {
    const { ids, refusal } = await submitUntilRefused(client, JOBS_MAX)
    assert.equal(refusal?.status, 503)
    for (const id of ids) {
      await client.finished(id)
      const { status } = await client.call('DELETE', `/v1/jobs/${id}`)
      assert.equal(status, 204)
    }
    await within(RECOVERY_TIMEOUT_MS, taken(client), () => `refused for ever: ${node.stderr}`)
  }
})

function smallVolume(t: TestContext): string {
  const folder = join(temporaryFolder(t), 'volume')
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${VOLUME}`, 'tmpfs', folder])
  // Lazily, because the node may still have files open.
  atEnd(t, () => execFileSync('umount', ['--lazy', folder]))
  return folder
}

async function taken(client: RestClient): Promise<void> {
  for (;;) {
    const { status } = await client.submit({ service: 'test.echo', input: 1 })
    if (status === 202) return
    await pause(500)
  }
}
