import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { makeProgram } from '@gyre/core/internal/cli/program.js'
import { ownerOfThisFile } from './file-owner.js'
import { GoldenSession } from './golden-session.js'
import { NodeProcess } from './node-process.js'

/** Everything that each command prints stands in test/golden/cli, as text and as JSON. */

const SERVICES = `
const broken = (message) =>
  Object.assign(new Error(message), { name: 'ServiceError', code: 'broken', retryable: false })
export const echo = {
  name: 'demo.echo', version: '1.0.0', description: 'Returns its input.',
  input: { type: 'object' },
  run(input, ctx) { ctx.log.info('got', { input }); return input },
}
export const fail = { name: 'demo.fail', run() { throw broken('it broke') } }
export const keep = {
  name: 'demo.keep', run: () => 'kept', compensate() { throw broken('it cannot be undone') },
}
export const waits = {
  name: 'demo.waits',
  run(input, ctx) {
    ctx.log.info('waits')
    ctx.progress(1, 2, 'half-way')
    return new Promise((_, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
    })
  },
}
export const render = { name: 'demo.render', requires: { units: { gpu: 1 } }, run() {} }
`

const JOB = {
  name: 'demo',
  steps: {
    a: { service: 'demo.echo', input: { $from: '/input' } },
    b: { service: 'demo.echo', needs: ['a'], input: {} },
  },
  output: { $from: '/steps/a/output' },
}

/** A step that cannot be undone, and one that makes that necessary. */
const UNDOES = {
  steps: { keep: { service: 'demo.keep' }, fail: { service: 'demo.fail', needs: ['keep'] } },
}

let node: NodeProcess
let folder: string
let data: string
const file = ownerOfThisFile()

before(async () => {
  folder = temporaryFolder(file)
  const plugins = temporaryFolder(file)
  data = join(temporaryFolder(file), 'data')
  await writeFile(join(plugins, 'services.js'), SERVICES)
  await writeFile(join(plugins, 'job.js'), `export default ${JSON.stringify(JOB)}`)
  await writeFile(join(folder, 'undoes.json'), JSON.stringify(UNDOES))
  await writeFile(join(folder, 'wrong.json'), '{"service": "demo.echo", "colour": 1}')
  const start = ['--data', data, '--init', '--no-built-ins', '--workers', plugins, '--arcs', '2']
  node = await NodeProcess.start(file, [...start, '--name', 'golden'])
})

function session(): GoldenSession {
  return new GoldenSession([folder, data], { GYRE_URL: node.url })
}

/** Where a job stands that a session has submitted. */
function idIn(printed: string): string {
  return /[0-9a-f]{32}/.exec(printed)?.[0] ?? ''
}

test('submitting and looking print what they did', async () => {
  const gyre = session()
  const echo = ['submit', '--service', 'demo.echo', '--input', '{"a":1}']
  const first = idIn(await gyre.run(...echo, '--wait'))
  await gyre.run(...echo, '--wait', '--json', '--key', 'one')
  await gyre.run(...echo, '--json', '--key', 'one')
  const terms = ['--label', 'team=a', '--label', 'kind=x', '--priority', '7']
  await gyre.run('submit', 'demo', '--input', '{"n":2}', ...terms, '--wait')
  await gyre.run('submit', '--service', 'demo.fail', '--wait')
  for (const more of [[], ['--status', 'failed'], ['--label', 'team=a'], ['--status', 'waiting']])
    await gyre.run('jobs', ...more)
  await gyre.run('jobs', '--job', 'demo', '--json')
  await gyre.run('jobs', '--limit', '1')
  for (const look of ['job', 'history', 'logs', 'explain']) {
    await gyre.run(look, first)
    await gyre.run(look, first, '--json')
  }
  for (const look of ['history', 'logs']) {
    await gyre.run(look, first, '--follow')
    await gyre.run(look, first, '--follow', '--json')
  }
  await gyre.run('logs', first, '--step', 'none')
  gyre.matches('looking')
})

test('explain prints why a job waits, runs or is refused', async () => {
  const gyre = session()
  const waits = ['submit', '--service', 'demo.waits']
  const later = idIn(await gyre.run(...waits, '--delay', '1h'))
  const refused = idIn(await gyre.run('submit', '--service', 'demo.render'))
  for (const id of [later, refused]) await gyre.run('explain', id)
  const running = idIn(await gyre.run(...waits))
  await gyre.run('explain', running)
  await gyre.run('services')
  for (const id of [later, refused, running]) await gyre.run('cancel', id)
  gyre.matches('explain')
})

test('acting on jobs prints what they became, or why not', async () => {
  const gyre = session()
  const undone = idIn(await gyre.run('submit', '--file', 'undoes.json', '--wait'))
  await gyre.run('job', undone)
  await gyre.run('explain', undone)
  await gyre.run('delete', undone)
  await gyre.run('skip', undone, 'keep')
  await gyre.run('skip', undone, 'fail', '--reason', 'none to undo')
  await gyre.run('retry', undone)
  await gyre.run('history', undone, '--follow')
  await gyre.run('skip', undone, 'keep', '--reason', 'undone by hand', '--json')
  await gyre.run('resubmit', undone, '--from', 'none')
  await gyre.run('resubmit', undone, '--from', 'fail')
  const again = idIn(await gyre.run('resubmit', undone))
  await gyre.run('history', again, '--follow')
  await gyre.run('skip', again, 'keep', '--reason', 'gone')
  const failed = idIn(await gyre.run('submit', '--file', 'undoes.json', '--wait', '--json'))
  await gyre.run('fail', failed)
  await gyre.run('fail', failed, '--reason', 'written off')
  for (const act of ['cancel', 'retry']) await gyre.run(act, undone)
  await gyre.run('delete', undone)
  await gyre.run('delete', failed, '--json')
  await gyre.run('job', undone)
  gyre.matches('acting')
})

test('the hash table, IDs and the ring print what is there', async () => {
  const gyre = session()
  await gyre.run('dht', 'put', 'a/1', '{"n":1}')
  await gyre.run('dht', 'put', 'a/2', 'null', '--json')
  await gyre.run('dht', 'put', 'a/1', '2', '--if-absent')
  await gyre.run('dht', 'put', 'a/1', '2', '--if-version', '9999999')
  for (const json of [[], ['--json']]) {
    await gyre.run('dht', 'get', 'a/1', ...json)
    await gyre.run('dht', 'list', 'a/', ...json)
  }
  const record = idIn(await gyre.run('owner', 'a/1'))
  await gyre.run('owner', 'a/1', '--json')
  for (const id of [node.id, record, '0'.repeat(32), 'x']) await gyre.run('peek', id)
  await gyre.run('peek', record, '--json')
  await gyre.run('dht', 'delete', 'a/1')
  await gyre.run('dht', 'delete', 'a/2', '--json')
  await gyre.run('dht', 'get', 'a/1')
  for (const command of ['ring', 'services']) {
    await gyre.run(command)
    await gyre.run(command, '--json')
  }
  gyre.matches('ring')
})

test('wrong usage and no node print one sentence and what to do', async () => {
  const gyre = session()
  for (const args of [
    ['jbos'],
    ['dht', 'putt'],
    ['job'],
    ['job', 'x'],
    ['jobs', '--stauts', 'failed'],
    ['jobs', '--status', 'done'],
    ['jobs', '--limit', 'many'],
    ['submit'],
    ['submit', 'demo', '--service', 'demo.echo'],
    ['submit', 'dmeo'],
    ['submit', '--service', 'demo.ehco'],
    ['submit', '--service', 'demo.echo', '--input', '{'],
    ['submit', '--service', 'demo.echo', '--input', '[]'],
    ['submit', '--service', 'demo.echo', '--priority', '10'],
    ['submit', '--service', 'demo.echo', '--delay', 'soon'],
    ['submit', '--service', 'demo.echo', '--label', 'team'],
    ['submit', '--file', 'none.json'],
    ['submit', '--file', 'wrong.json'],
    ['jobs', '--url', 'http://127.0.0.1:1'],
    ['jobs', '--url', 'nowhere'],
    ['start'],
    ['start', '--data', 'new'],
    ['start', '--data', 'new', '--init', '--api', '0.0.0.0:0'],
    ['start', '--data', 'new', '--init', '--arcs', '3'],
    ['start', '--data', 'new', '--init', '--capacity', 'cpu=x'],
    ['start', '--data', 'new', '--init', '--workers', 'none'],
    ['dev', '--nodes', '2'],
    ['verify', 'none'],
    ['completion', 'tcsh'],
  ]) {
    await gyre.run(...args)
  }
  gyre.matches('wrong')
})

test('every command prints its help', () => {
  const gyre = session()
  const show = (command: ReturnType<typeof makeProgram>, path: string): void => {
    gyre.note(`$ ${path} --help`)
    gyre.note(command.helpInformation())
    for (const each of command.commands) show(each, `${path} ${each.name()}`)
  }
  show(
    makeProgram(() => {}),
    'gyre',
  )
  gyre.matches('help')
})

test('a node prints that it is ready and that it has stopped, and its files are verified', async () => {
  await node.terminate()
  const gyre = session()
  for (const json of [[], ['--json']]) {
    await gyre.run('version', ...json)
    await gyre.run('verify', data, ...json)
  }
  gyre.matches('node')
})
