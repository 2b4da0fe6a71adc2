import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Why a job waits, where only a whole node can know: its plugins and what it has. */

const GPU_WORK = `export const work = {
  name: 'gpu.work',
  version: '1.0.0',
  requires: { units: { gpu: 1 } },
  async run() { return null },
}
`

interface Told {
  readonly summary: string
  readonly reasons: readonly { readonly code: string; readonly text: string }[]
}

test('a job whose service the node cannot run, or no longer offers, is told what to do', async (t) => {
  const folder = temporaryFolder(t)
  const [data, workers] = [join(folder, 'data'), join(folder, 'workers')]
  await mkdir(workers)
  await writeFile(join(workers, 'gpu.mjs'), GPU_WORK)
  const node = await NodeProcess.start(t, ['--data', data, '--init', '--workers', workers])
  const { body: job } = await RestClient.open(t, node.url).submit({ service: 'gpu.work' })
  const explain = async (url: string): Promise<Told> => {
    const { body } = await RestClient.open(t, url).call('GET', `/v1/jobs/${job.id}/explain`)
    return body
  }
  const refused = await explain(node.url)
  assert.deepEqual(
    refused.reasons.map(({ code }) => code),
    ['refused'],
  )
  assert.match(refused.summary, /The job is queued: the node refuses gpu\.work \(units: /)
  await node.terminate()
  const without = await NodeProcess.start(t, ['--data', data])
  const missing = await explain(without.url)
  assert.deepEqual(
    missing.reasons.map(({ code }) => code),
    ['no_worker'],
  )
})
