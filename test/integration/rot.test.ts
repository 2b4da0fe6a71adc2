import assert from 'node:assert/strict'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess, within } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'

/** Bytes that rot in the files of a node that runs, in places that nobody asks for. */

const NEEDLE = 'a needle in the state'
/** The scrub begins some seconds after the start; the state of this test takes it no time. */
const FOUND_WITHIN_MS = 60_000

test('a row that rots under a running node is found though nobody reads it, and rebuilt from the log', async (t) => {
  const folder = temporaryFolder(t)
  const first = await NodeProcess.start(t, ['--data', folder, '--init', '--arcs', '4'])
  const jobs = await finishJobs(new RestClient(first.url))
  assert.equal((await first.terminate()).code, 0)

  const second = await NodeProcess.start(t, ['--data', folder])
  await flipAll(join(folder, 'state', 'state.db'), NEEDLE)
  const told = (): string => `the rot was not found: ${second.stderr}`
  assert.equal((await within(FOUND_WITHIN_MS, second.exited, told)).code, 1)
  assert.match(second.stderr, /does not match its checksum/)
  assert.match(second.stderr, /rebuilt from the log/)

  const third = await NodeProcess.start(t, ['--data', folder])
  assert.match(third.stderr, /set aside and rebuilt from the log/)
  const client = RestClient.open(t, third.url)
  for (const job of jobs) {
    assert.deepEqual((await client.call('GET', `/v1/jobs/${job.id}`)).body, job)
  }
  await within(FOUND_WITHIN_MS, scrubbedOnce(client), () => 'no pass over the rebuilt state ended')
})

/** Resolves when the metrics count a whole pass, with rows in it. */
async function scrubbedOnce(client: RestClient): Promise<void> {
  for (;;) {
    const { body } = await client.call('GET', '/metrics')
    const passes = Number(/^gyre_state_scrub_passes_total (\d+)$/m.exec(body)?.[1])
    const rows = Number(/^gyre_state_scrubbed_rows_total (\d+)$/m.exec(body)?.[1])
    if (passes >= 1 && rows > 20) return
    await pause(200)
  }
}

/** Jobs so large that a row of one fills pages of its own, which no other row has read. */
async function finishJobs(client: RestClient): Promise<Job[]> {
  const jobs: Job[] = []
  for (let number = 0; number < 5; number += 1) {
    const input = `${'x'.repeat(50_000)}${NEEDLE}${'x'.repeat(50_000)}`
    const { body } = await client.submit({ service: 'test.echo', input })
    jobs.push(await client.finished(body.id))
  }
  await client.close()
  return jobs
}

/** Spoils one bit of every copy of the text in a file; old copies of a row may be dead. */
async function flipAll(path: string, needle: string): Promise<void> {
  const content = await readFile(path)
  const file = await open(path, 'r+')
  let count = 0
  for (let at = content.indexOf(needle); at >= 0; at = content.indexOf(needle, at + 1)) {
    const spoilt = Buffer.from([content.readUInt8(at) ^ 1])
    await file.write(spoilt, 0, 1, at)
    count += 1
  }
  await file.close()
  assert.ok(count > 0, `${path} does not hold what the jobs were given`)
}
