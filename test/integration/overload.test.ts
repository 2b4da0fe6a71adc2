import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'
import { WorldFaults } from './world-faults.js'

/** Sixty-four clients submit more than a node can take, beside handlers that misbehave. */

const world = new WorldFaults(ownerOfThisFile())

const SUBMITTERS = 64
/** All of them together are twice the commands that may be on their way at a time. */
const BATCH_JOBS = 320
/** Steps of the job that must get through: each is a completion, which starts the next. */
const STEPS = 6
const REFUSALS = 10
/** A node that takes so many refuses nothing at all. */
const TAKEN_MAX = 14_000
const WORK_TIMEOUT_MS = 90_000

/** `stay` never returns and hears no signal, `lie` gives what no handler may give. */
const PLUGIN = `
export const stay = { name: 'bad.stay', timeout: '500ms', retry: { attempts: 1 }, run: () => new Promise(() => {}) }
export const lie = { name: 'bad.lie', retry: { attempts: 1 }, run: () => () => 1 }
export const pass = { name: 'good.pass', concurrency: 1, run: (input) => input }
`

test('64 submitters and bad handlers: refusals store nothing, what was taken is done, completions pass all the while', async (t) => {
  const workers = temporaryFolder(t)
  await writeFile(join(workers, 'handlers.mjs'), PLUGIN)
  const data = temporaryFolder(t)
  const flags = ['--data', data, '--workers', workers, '--init']
  const node = await NodeProcess.start(t, flags, world)
  // So that the node is crowded for seconds and not for moments.
  world.set({ operation: 'sync', path: '/log/segment', delayMs: 200 })
  const client = RestClient.open(t, node.url, SUBMITTERS + 8)
  const bad = await Promise.all(
    ['bad.stay', 'bad.lie'].map((service) => client.submit({ service })),
  )
  const through = await client.submit({ steps: inARow(STEPS), priority: 9 })
  const flood = new Flood(client)
  const passed = client.finished(through.body.id)
  void passed.finally(() => flood.end()).catch(() => {})
  await flood.run()
  assert.equal((await passed).status, 'succeeded')
  assert.ok(flood.refusals >= REFUSALS, `${flood.refusals} refusals: it was no overload`)
  t.diagnostic(`${flood.taken} jobs were taken, ${flood.refusals} batches refused`)
  world.set()
  for (const { body } of bad) assert.equal((await client.finished(body.id)).status, 'failed')
  const counts = await whenAllEnded(client)
  assert.deepEqual(counts, { succeeded: flood.taken + 1, failed: bad.length })
})

function inARow(count: number): object {
  const names = Array.from({ length: count }, (_, number) => `s${number}`)
  return Object.fromEntries(
    names.map((name, index) => {
      const needs = index === 0 ? {} : { needs: [`s${index - 1}`] }
      return [name, { service: 'good.pass', input: index, ...needs }]
    }),
  )
}

/** Clients that submit batches without a pause until they are told to end. */
class Flood {
  readonly #client: RestClient
  #isOver = false
  taken = 0
  refusals = 0

  constructor(client: RestClient) {
    this.#client = client
  }

  /** No more is sent, once there was an overload. */
  end(): void {
    this.#isOver = true
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: SUBMITTERS }, () => this.#submitter()))
  }

  async #submitter(): Promise<void> {
    const jobs = Array.from({ length: BATCH_JOBS }, (_, n) => ({ service: 'test.echo', input: n }))
    while (this.taken < TAKEN_MAX && (!this.#isOver || this.refusals < REFUSALS)) {
      const { status, body, headers } = await this.#client.call('POST', '/v1/jobs/batch', {
        body: { jobs },
      })
      if (status === 202) this.taken += body.results.filter(({ id }: Partial<Job>) => id).length
      else {
        assert.deepEqual([status, body.code], [503, 'overloaded'])
        this.refusals += 1
        await pause(Number(headers['retry-after']) * 1000)
      }
    }
  }
}

/** How many jobs there are of each status, once all have ended. */
async function whenAllEnded(client: RestClient): Promise<object> {
  const until = performance.now() + WORK_TIMEOUT_MS
  for (;;) {
    const { body } = await client.call('GET', '/v1/jobs/counts')
    const { succeeded = 0, failed = 0 } = body.byStatus
    if (succeeded + failed === body.total) return { succeeded, failed }
    assert.ok(performance.now() < until, `not all have ended: ${JSON.stringify(body)}`)
    await pause(500)
  }
}
