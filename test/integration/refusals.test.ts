import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'
import { WorldFaults } from './world-faults.js'

/** What a job's history says of a service that the node refuses. */

const GPU_WORK = `export const work = {
  name: 'gpu.work',
  version: '1.0.0',
  labels: { gpu: 'yes' },
  async run() { return 'drawn' },
}
`

const world = new WorldFaults(ownerOfThisFile())

/** It is told some milliseconds after the job was stored: far more looks than anybody needs. */
const LOOKS = 2_000

interface Told {
  readonly type: string
  readonly step?: string
  readonly service?: string
  readonly node?: string
  readonly reason?: string
  readonly text?: string
}

test('a refused service stands in the history once, and is over when a node has the label', async (t) => {
  const folder = temporaryFolder(t)
  const [data, workers] = [join(folder, 'data'), join(folder, 'workers')]
  await mkdir(workers)
  await writeFile(join(workers, 'gpu.mjs'), GPU_WORK)
  const flags = ['--data', data, '--workers', workers]
  let node = await NodeProcess.start(t, [...flags, '--init'])
  let rest = RestClient.open(t, node.url)
  const refusals = async (id: string): Promise<Told[]> => {
    const { body } = await rest.call('GET', `/v1/jobs/${id}/history`)
    return body.items.filter(({ type }: Told) => type === 'service_refused')
  }
  const toldOf = async (id: string): Promise<Told> => {
    for (let look = 0; look < LOOKS; look += 1) {
      const [first] = await refusals(id)
      if (first !== undefined) return first
    }
    throw new Error(`job ${id} was not told after ${LOOKS} looks that its service is refused`)
  }
  const steps = { each: { service: 'gpu.work', forEach: { range: 10_000 } } }
  const { body: single } = await rest.submit({ service: 'gpu.work' })
  const { body: many } = await rest.submit({ steps })

  const { step, service, reason, text, ...event } = await toldOf(single.id)
  assert.deepEqual([step, service, reason, event.node], ['main', 'gpu.work', 'labels', node.id])
  assert.match(text ?? '', /it runs where gpu=yes, and this node has no gpu.*--label gpu=yes/)
  const { body: explained } = await rest.call('GET', `/v1/jobs/${single.id}/explain`)
  assert.equal(explained.reasons[0].refused, `${reason}: ${text}`)
  assert.equal((await toldOf(many.id)).step, 'each')

  await node.kill()
  node = await NodeProcess.start(t, flags)
  rest = RestClient.open(t, node.url)
  const { body: later } = await rest.submit({ service: 'gpu.work' })
  await toldOf(later.id)
  await rest.call('POST', `/v1/jobs/${many.id}/cancel`)
  await node.terminate()
  node = await NodeProcess.start(t, [...flags, '--label', 'gpu=yes'])
  rest = RestClient.open(t, node.url)
  const { body: last } = await rest.submit({ service: 'gpu.work' })
  for (const { id } of [single, later, last]) {
    assert.equal((await rest.finished(id)).output, 'drawn')
  }
  const counts: number[] = []
  for (const { id } of [single, many, later, last]) counts.push((await refusals(id)).length)
  assert.deepEqual(counts, [1, 1, 1, 0])
})

/** Jobs that wait when their service is refused: an entry tells a hundred of them. */
const WAITING_JOBS = 2_000
/** So slow is the disk that a node that is killed after one slice is killed long before the last. */
const SYNC_MS = 500

test('a kill -9 between the slices in which waiting jobs are told leaves none out and tells none twice', async (t) => {
  const folder = temporaryFolder(t)
  const [data, workers] = [join(folder, 'data'), join(folder, 'workers')]
  await mkdir(workers)
  await writeFile(join(workers, 'gpu.mjs'), GPU_WORK.replace(`return 'drawn'`, HANGS))
  const flags = ['--data', data, '--workers', workers]
  world.set()
  const labels = ['--label', 'gpu=yes']
  const first = await NodeProcess.start(t, [...flags, ...labels, '--init', '--arcs', '1'], world)
  const ids = await submitMany(RestClient.open(t, first.url), WAITING_JOBS)
  const last = ids.at(-1) ?? ''
  await first.kill()

  world.set({ operation: 'sync', path: '/log/segment', delayMs: SYNC_MS })
  for (const at of [0.1, 0.5]) {
    const node = await NodeProcess.start(t, flags, world)
    const rest = RestClient.open(t, node.url)
    const next = Math.floor(WAITING_JOBS * at)
    while ((await refusalsOf(rest, ids[next] ?? '')) === 0) continue
    assert.equal(await refusalsOf(rest, last), 0, 'it is killed before the last slice')
    await node.kill()
  }
  world.set()
  const node = await NodeProcess.start(t, flags, world)
  const rest = RestClient.open(t, node.url)
  while ((await refusalsOf(rest, last)) === 0) continue
  for (const id of ids) assert.equal(await refusalsOf(rest, id), 1, id)
})

const HANGS = 'return new Promise(() => {})'

async function submitMany(rest: RestClient, count: number): Promise<string[]> {
  const jobs = Array.from({ length: 500 }, () => ({ service: 'gpu.work' }))
  const ids: string[] = []
  while (ids.length < count) {
    const { status, body } = await rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
    assert.equal(status, 202)
    for (const { id } of body.results) ids.push(id)
  }
  return ids
}

async function refusalsOf(rest: RestClient, id: string): Promise<number> {
  const { body } = await rest.call('GET', `/v1/jobs/${id}/history`)
  return body.items.filter(({ type }: Told) => type === 'service_refused').length
}
