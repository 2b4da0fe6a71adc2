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

test('a job that was running in three nodes that died is stopped as poison, and says so', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  let node = await NodeProcess.start(t, ['--data', data, '--init'])
  let rest = RestClient.open(t, node.url)
  const step = { service: 'test.sleep', input: { ms: 60_000 }, retry: { attempts: 10, delay: 1 } }
  const { body: job } = await rest.submit({ steps: { a: step } })
  for (let life = 1; life <= 3; life += 1) {
    const attemptCount = async (): Promise<number> => {
      const { body } = await rest.call('GET', `/v1/jobs/${job.id}`)
      return body.status === 'running' ? body.steps[0].attemptCount : 0
    }
    while ((await attemptCount()) < life);
    await node.kill()
    node = await NodeProcess.start(t, ['--data', data])
    rest = RestClient.open(t, node.url)
  }
  const ended = await rest.finished(job.id)
  assert.deepEqual([ended.status, ended.error?.code], ['failed', 'poison'])
  const { body: shown } = await rest.call('GET', `/v1/jobs/${job.id}`)
  assert.deepEqual([shown.cause, shown.steps[0].lostAttempts], ['poison', 3])
  const { body: told } = await rest.call('GET', `/v1/jobs/${job.id}/explain`)
  assert.equal(told.reasons[0].code, 'poison')
})

test('what waits for a time says which: a scheduled job, a step and an item in their pauses', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--init'])
  const rest = RestClient.open(t, node.url)
  const failing = { service: 'test.fail', retry: { attempts: 2, delay: '1h', jitter: false } }
  const waiting = async (submission: object): Promise<readonly [string, string]> => {
    const { body } = await rest.submit(submission)
    for (;;) {
      const { body: job } = await rest.call('GET', `/v1/jobs/${body.id}`)
      if (!['waiting', 'scheduled'].includes(job.status)) continue
      const { body: told } = await rest.call('GET', `/v1/jobs/${body.id}/explain`)
      assert.equal(told.reasons[0].until, job.waitingFor.until)
      assert.ok(Date.parse(job.waitingFor.until) > Date.now())
      return [job.waitingFor.kind, told.reasons[0].code]
    }
  }
  assert.deepEqual(await waiting({ ...failing, delay: '1h' }), ['timer', 'scheduled'])
  assert.deepEqual(await waiting(failing), ['retry', 'backoff'])
  const items = { each: { ...failing, forEach: [1, 2] } }
  assert.deepEqual(await waiting({ steps: items }), ['retry', 'backoff'])
})
