import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** `turn` has one slot and tells its place in line; with `hold` it waits until `open` was run. */
const PLUGIN = `
let opened
const gate = new Promise((resolve) => (opened = resolve))
let turns = 0
export const turn = {
  name: 'line.turn',
  concurrency: 1,
  async run(input) {
    turns += 1
    const place = turns
    if (input.hold) await gate
    return place
  },
}
export const open = { name: 'line.open', run() { opened() } }
`

const file = ownerOfThisFile()
let rest: RestClient

before(async () => {
  const folder = temporaryFolder(file)
  await writeFile(join(folder, 'line.mjs'), PLUGIN)
  const data = join(temporaryFolder(file), 'data')
  const node = await NodeProcess.start(file, ['--data', data, '--init', '--workers', folder])
  rest = RestClient.open(file, node.url)
})

test('with one slot and 500 waiting jobs of priority 0, one of priority 9 is next', async () => {
  const hold = await rest.submit({ service: 'line.turn', input: { hold: true } })
  const waiting = { service: 'line.turn', priority: 0 }
  const jobs = Array.from({ length: 500 }, () => waiting)
  const { body: batch } = await rest.call('POST', '/v1/jobs/batch', { body: { jobs } })
  const urgent = await rest.submit({ service: 'line.turn', priority: 9 })
  assert.equal(urgent.body.priority, 9)
  assert.equal(hold.body.priority, 5)
  await rest.submit({ service: 'line.open' })
  assert.equal((await rest.finished(urgent.body.id)).output, 2)
  const last = batch.results.at(-1)
  assert.equal((await rest.finished(last.id)).status, 'succeeded')
})
