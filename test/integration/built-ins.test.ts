import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

test('http, shell and files do what the owner allows, and say what to allow for the rest', async (t) => {
  const folder = temporaryFolder(t)
  const root = join(folder, 'files')
  mkdirSync(root)
  const config = { file: { root }, 'shell.run': { allow: ['echo'] } }
  const start = async (data: string, more: object = {}) => {
    const settings = JSON.stringify({ ...config, ...more })
    const args = ['--data', join(folder, data), '--init', '--worker-config', settings]
    const node = await NodeProcess.start(t, args)
    const client = RestClient.open(t, node.url)
    const run = async (service: string, input: object) => {
      const retry = { attempts: 1 }
      const { status, body } = await client.submit({ service, input, retry })
      assert.equal(status, 202, JSON.stringify(body))
      return client.finished(body.id)
    }
    return { url: node.url, run }
  }
  const { url, run } = await start('a')
  assert.equal((await run('file.write', { path: 'a.txt', content: 'hello' })).status, 'succeeded')
  assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'hello')
  const { output: echoed } = await run('shell.run', { argv: ['echo', 'hi'] })
  assert.equal((echoed as { stdout: string }).stdout, 'hi\n')
  const refused = await run('shell.run', { argv: ['sh', '-c', 'id'] })
  assert.equal(refused.error?.code, 'program_refused')
  const inside = await run('http.request', { url: `${url}/livez` })
  assert.equal(inside.error?.code, 'address_refused')
  const other = await start('b', { 'http.request': { allow: ['127.0.0.1'] } })
  const { output } = await other.run('http.request', { url: `${url}/livez` })
  assert.equal((output as { status: number }).status, 200)
})
