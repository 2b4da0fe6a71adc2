import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { Load } from '../integration/load.js'
import { NodeProcess, within } from '../integration/node-process.js'
import { RestClient } from '../integration/rest-client.js'

const VOLUME_BYTES = 512 * 1024 * 1024
/** Jobs acknowledged in each life before the power goes. */
const LIVES = [60, 100, 20, 140]
/** A life that acknowledges so little in a minute is stuck. */
const LIFE_TIMEOUT_MS = 60_000
/** A node whose disk is gone must notice at its next sync. */
const DEATH_TIMEOUT_MS = 15_000

/**
 * A file system of its own under the data folder. `cutPower` ends it as a power failure would: from
 * that instant nothing reaches the device any more, and what was not synced is gone.
 */
class Volume {
  readonly folder: string
  readonly #image: string

  private constructor(folder: string, image: string) {
    this.folder = folder
    this.#image = image
  }

  static make(t: TestContext): Volume {
    const parent = temporaryFolder(t)
    const volume = new Volume(join(parent, 'volume'), join(parent, 'image'))
    mkdirSync(volume.folder)
    writeFileSync(volume.#image, '')
    truncateSync(volume.#image, VOLUME_BYTES)
    execFileSync('mkfs.ext4', ['-q', '-F', volume.#image])
    atEnd(t, () => volume.unmount())
    return volume
  }

  /** Mounting replays the file system's own journal, as the start of a machine would. */
  mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder])
  }

  cutPower(): void {
    // Without -f the journal is not written out first: a cut, not a quick shutdown.
    execFileSync('xfs_io', ['-x', '-c', 'shutdown', this.folder])
  }

  /** Lazily, because a process that is about to die may still have files open. */
  unmount(): void {
    execFileSync('umount', ['--lazy', this.folder])
  }
}

test('power cuts under load: every acknowledged job finishes, no acknowledged write is lost', async (t) => {
  const volume = Volume.make(t)
  const data = join(volume.folder, 'data')
  const load = new Load()
  volume.mount()
  for (const [life, jobs] of LIVES.entries()) {
    const node = await NodeProcess.start(t, ['--data', data, ...(life === 0 ? ['--init'] : [])])
    const enough = load.acknowledgeMore(jobs)
    const clients = load.runUntilGone(node.url)
    await within(LIFE_TIMEOUT_MS, enough, () => `fewer than ${jobs} jobs: ${node.stderr}`)
    await cutAndRestore(volume, node)
    await clients
  }
  const node = await NodeProcess.start(t, ['--data', data])
  const client = RestClient.open(t, node.url)
  await load.check(client)
  assert.deepEqual(await node.terminate(), { code: 0, signal: null })
})

/** The power goes, the node ends because it must not go on, the power is back. */
async function cutAndRestore(volume: Volume, node: NodeProcess): Promise<void> {
  const unsynced = join(volume.folder, 'unsynced')
  writeFileSync(unsynced, 'what nobody synced')
  volume.cutPower()
  const exit = await within(DEATH_TIMEOUT_MS, node.exited, () => 'the node runs without a disk')
  assert.notEqual(exit.code, 0, 'a node whose disk is gone has failed')
  volume.unmount()
  volume.mount()
  assert(!existsSync(unsynced), 'the cut took what was not synced, or it was no cut')
}
