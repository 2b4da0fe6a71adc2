import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from '../integration/node-process.js'
import { RestClient } from '../integration/rest-client.js'

/** What Prometheus' own checker says of a page: nothing, when all is well. */
function promtool(page: string): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  })
  return { status, said: stdout + stderr }
}

test('promtool finds nothing to say of what a node serves', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  for (const service of ['test.echo', 'test.fail']) {
    await client.submit({ service }, undefined, { prefer: 'wait=20' })
  }
  const { body } = await client.call('GET', '/metrics')
  assert.deepEqual(promtool(String(body)), { status: 0, said: '' })
})

test('promtool would say what is wrong', () => {
  const { status, said } = promtool('# TYPE gyre_things_total gauge\ngyre_things_total 1\n')
  assert.notEqual(status, 0)
  assert.match(said, /_total/)
})
