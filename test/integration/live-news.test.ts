import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** Tells how far it is, then waits until it is stopped. */
const TELLS = `
export const tells = {
  name: 'plugin.tells',
  run: async (input: unknown, ctx: any) => {
    ctx.log.info('begins', { n: 1 })
    ctx.progress(3, 9, 'counting')
    await new Promise((_, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
    })
  },
}
`

/** Reads the timeline until an event of this name; gives its data. */
async function untilNamed(url: string, job: string, name: string): Promise<unknown> {
  const answer = await fetch(`${url}/v1/jobs/${job}/events`)
  assert(answer.body !== null)
  let text = ''
  for await (const part of answer.body) {
    text += new TextDecoder().decode(part)
    const [, data] = new RegExp(`^event: ${name}\ndata: (.+)$`, 'm').exec(text) ?? []
    if (data !== undefined) return JSON.parse(data)
  }
  assert.fail(`the stream ended without ${name}: ${text}`)
}

test('what a running handler logs and how far it is can be seen meanwhile, and outlives a kill -9', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'tells.ts'), TELLS)
  const data = join(folder, 'data')
  const start = ['--data', data, '--workers', folder]
  const node = await NodeProcess.start(t, [...start, '--init'])
  const { body: job } = await RestClient.open(t, node.url).submit({ service: 'plugin.tells' })

  const told = (await untilNamed(node.url, job.id, 'activity')) as Record<string, unknown>
  assert.deepEqual([told['progress'], told['logLines']], [{ done: 3, total: 9 }, 1])
  await node.kill()

  const next = await NodeProcess.start(t, start)
  const rest = RestClient.open(t, next.url)
  const { body: logs } = await rest.call('GET', `/v1/jobs/${job.id}/logs`)
  const [line] = logs.items
  assert.deepEqual([line.message, line.fields, line.attempt], ['begins', { n: 1 }, 1])
  const { body: later } = await rest.call('GET', `/v1/jobs/${job.id}/logs?after=${line.seq}`)
  assert.ok(later.items.every(({ seq }: { seq: number }) => seq > line.seq))
  const { body: seen } = await rest.call('GET', `/v1/jobs/${job.id}`)
  const [lost] = seen.steps[0].attempts
  assert.deepEqual([lost.outcome, lost.progress.done, lost.progress.note], ['lost', 3, 'counting'])
  await rest.call('POST', `/v1/jobs/${job.id}/cancel`)
  await rest.finished(job.id)
})
