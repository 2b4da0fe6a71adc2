import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { GYRE, NodeProcess, within } from './node-process.js'
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

/** A command that follows something, and what it has printed so far. */
function follow(t: TestContext, url: string, args: readonly string[]) {
  const child = spawn(process.execPath, [GYRE, ...args, '--url', url])
  atEnd(t, () => child.kill())
  const closed = once(child, 'close').then(([code]) => code)
  let printed = ''
  let changed: () => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      changed()
    })
  }
  const until = async (wanted: RegExp): Promise<string> => {
    const seen = async (): Promise<void> => {
      while (!wanted.test(printed)) await new Promise<void>((resolve) => (changed = resolve))
    }
    await within(30_000, seen(), () => `waited for ${wanted}, got ${printed}`)
    return wanted.exec(printed)?.[0] ?? ''
  }
  return { until, closed, told: () => printed }
}

test('ring --watch looks again and again', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--init'])
  const watch = follow(t, node.url, ['ring', '--watch', '--json'])
  await watch.until(/^\{"cluster".*\n\{"cluster".*\n/m)
})

test('submit --wait, logs --follow and history --follow show what happens while it happens', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'tells.ts'), TELLS)
  const data = join(folder, 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--workers', folder, '--init'])
  const submit = follow(t, node.url, ['submit', '--service', 'plugin.tells', '--wait'])
  const id = await submit.until(/^[0-9a-f]{32}$/m)
  await submit.until(/^main 3\/9 counting$/m)
  const logs = follow(t, node.url, ['logs', id, '--follow'])
  await logs.until(/ info {2}main #1: begins \{"n":1\}\n/)
  const history = follow(t, node.url, ['history', id, '--follow', '--json'])
  await history.until(/"type":"attempt_started"/)
  await RestClient.open(t, node.url).call('POST', `/v1/jobs/${id}/cancel`)
  assert.deepEqual([await submit.closed, await logs.closed, await history.closed], [3, 0, 0])
  assert.match(logs.told(), /main #1: progress 3 of 9: counting\n$/)
  assert.match(history.told(), /"type":"job_ended"[^\n]*\n$/)
})

/** Logs more than a job keeps, in a turn of the loop and after it. */
const FLOODS = `
export const floods = {
  name: 'plugin.floods',
  run: async (input: unknown, ctx: any) => {
    for (let j = 1; j <= 20_000; j += 1) ctx.log.info('line ' + j, { j })
    await new Promise((resolve) => setTimeout(resolve, 1))
    ctx.log.error('the end', { j: 20_001 })
  },
}
`

test('of a handler that logs without end the newest lines are shown, and how many are gone', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'floods.ts'), FLOODS)
  const data = join(folder, 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--workers', folder, '--init'])
  const rest = RestClient.open(t, node.url)
  const { body: job } = await rest.submit({ service: 'plugin.floods' })
  await rest.finished(job.id)
  const { body: logs } = await rest.call('GET', `/v1/jobs/${job.id}/logs?limit=1000`)
  const lines: { seq: number; message: string; fields: { j: number } }[] = logs.items
  assert.ok(lines.length > 600, `${lines.length} lines`)
  assert.equal(lines.at(-1)?.message, 'the end')
  assert.equal(lines.length + logs.dropped, 20_001)
  for (const [place, { seq, fields }] of lines.entries())
    assert.deepEqual([seq, fields.j], [logs.dropped + place + 1, seq])

  const told = async (...more: readonly string[]): Promise<string> => {
    const command = follow(t, node.url, ['logs', job.id, ...more])
    assert.equal(await command.closed, 0)
    return command.told()
  }
  assert.equal(JSON.parse(await told('--json')).dropped, logs.dropped)
  const followed = (await told('--follow', '--json')).trimEnd().split('\n')
  assert.deepEqual(JSON.parse(followed.at(-1) ?? ''), { dropped: logs.dropped })
  assert.equal(followed.length, lines.length + 1)
  const said = `${logs.dropped} earlier lines are gone from the job's log`
  for (const more of [[], ['--follow']]) assert.equal((await told(...more)).split(said).length, 2)
})

/** Logs more than a second lets out, and then never ends: its thread is ended by force. */
const ENDLESS = `
export const endless = {
  name: 'plugin.endless',
  isolation: 'thread',
  timeout: '4s',
  retry: { attempts: 1 },
  run: (input: unknown, ctx: any) => {
    for (let j = 1; j <= 20_000; j += 1) ctx.log.info('line ' + j, { j })
    for (;;);
  },
}
`

test('lines that wait in a thread when it is ended are counted as gone', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'endless.ts'), ENDLESS)
  const data = join(folder, 'data')
  const node = await NodeProcess.start(t, ['--data', data, '--workers', folder, '--init'])
  const rest = RestClient.open(t, node.url)
  const { body: job } = await rest.submit({ service: 'plugin.endless' })
  await rest.finished(job.id)
  const { body: logs } = await rest.call('GET', `/v1/jobs/${job.id}/logs?limit=1000`)
  assert.ok(logs.items.length > 300, `${logs.items.length} lines`)
  assert.equal(logs.items.length + logs.dropped, 20_000)
})
