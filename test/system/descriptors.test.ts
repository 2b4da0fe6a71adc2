import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { accepted, allSucceeded, submitUntilRefused } from '../integration/filling-the-log.js'
import { NodeProcess } from '../integration/node-process.js'
import { RestClient } from '../integration/rest-client.js'

/** All below are open: whatever a process closes, it can open nothing again. */
const NO_MORE = 3
const ENOUGH = 1024

/** Large enough for several segments. */
const JOBS_MAX = 300

test('a node that can open no file refuses jobs, does what it took, and takes jobs when it can again', async (t) => {
  const folder = temporaryFolder(t)
  const node = await NodeProcess.start(t, ['--data', folder, '--init'])
  // One connection: another one could not be taken.
  const client = RestClient.open(t, node.url, 1)
  await accepted(client)
  setOpenFiles(node.pid, NO_MORE)
  const { ids, refusal } = await submitUntilRefused(client, JOBS_MAX)
  assert.equal(refusal?.status, 503, 'the log could not make its next segment')
  assert.equal(refusal.body.code, 'overloaded')
  assert.ok(ids.length > 0, 'the spare segment was used')
  await allSucceeded(client, ids)
  setOpenFiles(node.pid, ENOUGH)
  await accepted(client)
  await node.kill()
  const again = await NodeProcess.start(t, ['--data', folder])
  await allSucceeded(RestClient.open(t, again.url), ids)
  assert.deepEqual(await again.terminate(), { code: 0, signal: null })
})

function setOpenFiles(pid: number, count: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`])
}
