import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { GYRE, NodeProcess } from './node-process.js'

/** No command here waits for long; one that serves where it should refuse is stopped by this. */
const COMMAND_TIMEOUT_MS = 30_000

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a person would, with what they pipe into it. */
async function gyre(args: readonly string[], environment = {}, input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [GYRE, ...args], {
    env: { ...process.env, GYRE_URL: node.url, ...environment },
    timeout: COMMAND_TIMEOUT_MS,
  })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}

/** The document that a command prints with `--json`: one, and nothing else on stdout. */
async function json(args: readonly string[]): Promise<ReturnType<typeof JSON.parse>> {
  const { code, stdout, stderr } = await gyre([...args, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

let node: NodeProcess
let folder: string
const file = ownerOfThisFile()

before(async () => {
  folder = temporaryFolder(file)
  node = await NodeProcess.start(file, ['--data', join(folder, 'data'), '--init'])
})

test('submit --wait prints the job ID, then its output', async () => {
  const ran = await gyre(['submit', '--service', 'test.echo', '--input', '{"a":1}', '--wait'])
  assert.equal(ran.code, 0)
  const [id, ...output] = ran.stdout.trim().split('\n')
  assert.match(id ?? '', /^[0-9a-f]{32}$/)
  assert.deepEqual(JSON.parse(output.join('\n')), { a: 1 })
})

test('input comes as text, from a file and from standard input, and reaches the job unchanged', async () => {
  const path = join(folder, 'input.json')
  await writeFile(path, '{"from":"file"}')
  const submit = ['submit', '--service', 'test.echo', '--wait', '--json', '--input']
  for (const [given, expected] of [
    [`@${path}`, 'file'],
    ['-', 'pipe'],
    ['{"from":"text"}', 'text'],
  ] as const) {
    const { stdout } = await gyre([...submit, given], {}, '{"from":"pipe"}')
    assert.deepEqual(JSON.parse(stdout).output, { from: expected })
  }
})

test('a submission file may hold any submission, with the input replaced', async () => {
  const path = join(folder, 'submission.json')
  await writeFile(path, '{"service":"test.echo","input":1}')
  const job = await json(['submit', '--file', path, '--input', '2', '--wait'])
  assert.equal(job.output, 2)
})

test('the same --key gives the same job', async () => {
  const submit = ['submit', '--service', 'test.echo', '--key', 'cli-key']
  const [first, second] = [await gyre(submit), await gyre(submit)]
  assert.match(first.stdout, /^[0-9a-f]{32}\n$/)
  assert.equal(second.stdout, first.stdout)
})

test('a --key of any letters is the key of the header and of a batch; one of control characters is refused', async () => {
  for (const key of ['bestellung-größe', '注文-1']) {
    const submit = ['submit', '--service', 'test.echo', '--input', '"u"', '--key', key]
    const { id } = await json(submit)
    const jobs = [{ service: 'test.echo', input: 'u', idempotencyKey: key }]
    const answer = await fetch(`${node.url}/v1/jobs/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jobs }),
    })
    const batch: ReturnType<typeof JSON.parse> = await answer.json()
    assert.equal(batch.results[0].id, id)
  }
  const refused = await gyre(['submit', '--service', 'test.echo', '--key', 'a\nb'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^The value for idempotency-key holds a control character/)
})

test('what nobody foresaw is told without a stack, which GYRE_DEBUG shows', async () => {
  const server = createServer((socket) => socket.end('no HTTP at all\r\n\r\n').resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(file, () => server.close())
  const { port } = server.address() as AddressInfo
  const elsewhere = { GYRE_URL: `http://127.0.0.1:${port}` }
  const { code, stderr } = await gyre(['jobs'], elsewhere)
  assert.equal(code, 1)
  assert.match(stderr, /^The call to \S+ failed \([^\n]+\)\.\n[^\n]+\n$/)
  const debugged = await gyre(['jobs'], { ...elsewhere, GYRE_DEBUG: '1' })
  assert.match(debugged.stderr, /\n\s+at /)
})

test('a job that does not succeed gives exit code 3 and says where to look', async () => {
  const path = join(folder, 'failing.json')
  const step = { service: 'test.fail', retry: { attempts: 1 } }
  await writeFile(path, JSON.stringify({ steps: { only: step } }))
  const { code, stderr } = await gyre(['submit', '--file', path, '--wait'])
  assert.equal(code, 3)
  assert.match(stderr, /ended failed: test_failed/)
  assert.match(stderr, /gyre history [0-9a-f]{32}/)
})

test('wrong usage gives exit code 2 and a suggestion', async () => {
  const typo = await gyre(['jbos'])
  assert.equal(typo.code, 2)
  assert.match(typo.stderr, /Did you mean jobs/)
  for (const args of [
    ['submit'],
    ['dht', 'put', 'k', 'no json'],
    ['start'],
    ['jobs', '--limit', '0'],
    ['jobs', '--status', 'zz'],
    ['submit', '--service', 'test.echo', '--delay', '5x'],
    ['start', '--data', join(folder, 'unused'), '--init', '--log-level', 'loud'],
    ['dev', '--log-level', 'loud'],
    ['start', '--data', join(folder, 'unused'), '--init', '--under-dev'],
  ]) {
    const ran = await gyre(args)
    assert.equal(ran.code, 2, args.join(' '))
    assert.equal(ran.stdout, '')
  }
})

test('a command that prints much ends only when its reader has all of it', async () => {
  const input = { text: 'x'.repeat(100_000) }
  const names = Array.from({ length: 9 }, (_, n) => `s${n}`)
  const steps = Object.fromEntries(names.map((name) => [name, { service: 'test.echo', input }]))
  const file = join(folder, 'large.json')
  await writeFile(file, JSON.stringify({ steps }))
  const { stdout } = await gyre(['submit', '--file', file, '--wait'])
  const [id = ''] = stdout.split('\n')
  const job = await json(['job', id])
  assert.deepEqual(
    job.steps.map(({ output }: { output: unknown }) => output),
    names.map(() => input),
  )
})

test('a command whose reader goes away ends without a word, as other tools do', async () => {
  assert.deepEqual(await unread(['services', '--json']), { stderr: '', code: 141 })
})

test('output that cannot be written is told in a sentence', async () => {
  const full = spawn('sh', [
    '-c',
    `"${process.execPath}" "${GYRE}" services --url "${node.url}" > /dev/full`,
  ])
  const [stderr, [code]] = await Promise.all([text(full.stderr), once(full, 'close')])
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^What was to be printed cannot be written \(ENOSPC: .*Print to somewhere else\.\n$/,
  )
})

test('a node goes on when nobody reads what it says at its start', async () => {
  const data = join(temporaryFolder(file), 'data')
  const plugins = temporaryFolder(file)
  await writeFile(join(plugins, 'broken.js'), 'export const x: = 1')
  const start = ['start', '--data', data, '--init', '--api', '127.0.0.1:0', '--workers', plugins]
  // Once the plugin is told of, signals are heard; the node is ready, into the void, before it stops.
  const { stderr, code } = await unread(start, (child) => child.kill('SIGTERM'))
  assert.match(stderr, /SIGTERM: stopping/)
  assert.equal(code, 0, stderr)
})

type OnNote = (child: ChildProcess) => unknown

/** Runs a command whose reader is gone before it writes anything. */
async function unread(args: readonly string[], onNote: OnNote = () => null) {
  const child = spawn(process.execPath, [GYRE, ...args], {
    env: { ...process.env, GYRE_URL: node.url },
    timeout: COMMAND_TIMEOUT_MS,
  })
  child.stdout.destroy()
  child.stderr.once('data', () => onNote(child))
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { stderr, code }
}

test('a node ends well although its log is read by nobody, whether the pipe is full or closed', async () => {
  for (const pipe of ['full', 'closed'] as const) {
    const folder = temporaryFolder(file)
    const args = ['start', '--data', join(folder, 'data'), '--init', '--api', '127.0.0.1:0']
    const stderr = pipe === 'full' ? fullPipe(folder) : 'pipe'
    const stdio: StdioOptions = ['ignore', 'pipe', stderr]
    const timeout = COMMAND_TIMEOUT_MS
    const child: ChildProcess = spawn(process.execPath, [GYRE, ...args], { stdio, timeout })
    const ended = once(child, 'exit')
    assert.ok(child.stdout)
    await once(child.stdout, 'data')
    child.stderr?.destroy()
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null], pipe)
    if (typeof stderr === 'number') closeSync(stderr)
  }
})

/** The writing end of a pipe that takes no more bytes and that nobody reads. */
function fullPipe(folder: string): number {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  for (;;) {
    try {
      writeSync(both, 'x'.repeat(4096))
    } catch {
      return both
    }
  }
}

test('a level of the log that is none is refused wherever it comes from', async () => {
  const start = ['start', '--data', join(folder, 'unused'), '--init']
  const { code, stderr } = await gyre(start, { GYRE_LOG_LEVEL: 'loud' })
  assert.equal(code, 2)
  assert.match(stderr, /GYRE_LOG_LEVEL cannot be loud: Expected one of trace, /)
  await assert.rejects(readdir(join(folder, 'unused')), /ENOENT/)
})

test('a plugin folder that cannot be read is refused with exit code 2 before anything is made', async () => {
  const notFolder = join(folder, 'file.ts')
  await writeFile(notFolder, 'export const x = 1')
  await symlink('circle', join(folder, 'circle'))
  const data = join(folder, 'never-made')
  for (const [path, reason] of [
    [join(folder, 'missing'), 'does not exist'],
    [notFolder, 'is not a folder'],
    [join(folder, 'circle'), 'cannot be read'],
  ] as const) {
    for (const command of [['dev'], ['start', '--init']]) {
      for (const flag of ['--workers', '--jobs']) {
        const { code, stderr } = await gyre([...command, '--data', data, flag, path])
        assert.equal(code, 2, stderr)
        assert(stderr.includes(`${flag} ${path} ${reason}`), stderr)
      }
    }
  }
  await assert.rejects(readdir(data), /ENOENT/)
})

test('gyre dev says what keeps its node from starting, with the exit code of gyre start', async () => {
  const { code, stderr } = await gyre(['dev', '--data', join(folder, 'data')])
  assert.equal(code, 1)
  assert.match(stderr, /another Gyre process uses the data folder/)
  const more = await gyre(['dev', '--nodes', '2'])
  assert.equal(more.code, 2)
  assert.match(more.stderr, /rings of one node/)
})

test('a refusal gives exit code 1, no node exit code 4', async () => {
  const refused = await gyre(['job', '0'.repeat(32)])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /job_not_found/)
  const nobody = await gyre(['jobs', '--url', 'http://127.0.0.1:1'])
  assert.equal(nobody.code, 4)
  assert.match(nobody.stderr, /gyre dev/)
})

test('job, history, jobs and peek agree about a job', async () => {
  const { id } = await json(['submit', '--service', 'test.echo', '--input', '"x"', '--wait'])
  assert.equal((await json(['job', id])).output, 'x')
  const types = (await json(['history', id])).items.map(({ type }: { type: string }) => type)
  assert.deepEqual(types, ['job_submitted', 'attempt_started', 'attempt_ended', 'job_ended'])
  const listed = await json(['jobs', '--limit', '1000'])
  assert(listed.items.some((job: { id: string }) => job.id === id))
  assert.equal((await json(['peek', id])).kind, 'job')
  const shown = await gyre(['job', id])
  assert.match(shown.stdout, /test\.echo +succeeded/)
})

test('explain says why a job is where it is', async () => {
  const { id } = await json(['submit', '--service', 'test.echo', '--wait'])
  assert.equal((await json(['explain', id])).reasons[0].code, 'finished')
  const { stdout } = await gyre(['explain', id])
  assert.match(
    stdout,
    /^The job is succeeded: it has ended\.\n\nREASON +TEXT\nfinished +it has ended/,
  )
})

test('cancel, retry, skip and fail reach the job, or say why not', async () => {
  const { id } = await json(['submit', '--service', 'test.sleep', '--input', '{"ms":60000}'])
  assert.match((await json(['cancel', id])).status, /^cancel/)
  const again = await gyre(['retry', id])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /nothing_to_retry/)
  assert.equal((await gyre(['skip', id, 'main'])).code, 2, 'a skip wants a reason')
  assert.equal((await gyre(['fail', id])).code, 2, 'so does a fail')
  const failed = await gyre(['fail', id, '--reason', 'because'])
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /nothing_to_fail/)
})

test('resubmit prints the ID of a new job like the first, begun with a step', async () => {
  const { id } = await json(['submit', '--service', 'test.echo', '--input', '{"n":1}', '--wait'])
  const ran = await gyre(['resubmit', id, '--from', 'main'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stdout, /^[0-9a-f]{32}\n$/)
  const { input } = await json(['job', ran.stdout.trim()])
  assert.deepEqual(input, { n: 1 })
  const unknown = await gyre(['resubmit', id, '--from', 'nowhere'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /step_not_found/)
})

test('records are put, read, listed and removed, on condition where asked', async () => {
  const { version } = await json(['dht', 'put', 'cli/a', '[1,2]'])
  assert.deepEqual((await json(['dht', 'get', 'cli/a'])).value, [1, 2])
  assert.equal((await gyre(['dht', 'put', 'cli/a', '3', '--if-absent'])).code, 1)
  assert.equal((await gyre(['dht', 'put', 'cli/a', '3', '--if-version', '1'])).code, 1)
  const next = await json(['dht', 'put', 'cli/a', '3', '--if-version', String(version)])
  assert(next.version > version)
  // A path that a URL would swallow is a key like any other.
  await json(['dht', 'put', '..', '"dots"'])
  assert.equal((await json(['dht', 'get', '..'])).value, 'dots')
  const keys = (await json(['dht', 'list', 'cli/'])).items.map(({ key }: { key: string }) => key)
  assert.deepEqual(keys, ['cli/a'])
  assert.equal((await gyre(['dht', 'delete', 'cli/a'])).code, 0)
  assert.equal((await gyre(['dht', 'get', 'cli/a'])).code, 1)
})

test('ring, owner and services show the one node', async () => {
  const ring = await json(['ring'])
  assert.equal(ring.nodes.length, 1)
  assert.equal(ring.nodes[0].id, node.id)
  assert.equal((await json(['owner', 'some key'])).owner, node.id)
  const names = (await json(['services'])).items.map(({ name }: { name: string }) => name)
  assert(names.includes('test.echo'))
})

const COMMON = ['--json', '--url', '--token', '--help']

test('completions know every command, its sub-commands and its flags', async () => {
  const script = await gyre(['completion', 'bash'])
  assert.equal(script.code, 0)
  const ask = async (...words: string[]): Promise<string[]> => {
    const places = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`
    const lines = [script.stdout, places, `COMP_CWORD=${words.length - 1}`, '_gyre']
    const shell = spawn('bash', ['-c', [...lines, 'echo "${COMPREPLY[@]}"'].join('\n')])
    return (await text(shell.stdout)).trim().split(' ')
  }
  assert.deepEqual(await ask('gyre', 'exp'), ['explain'])
  assert.deepEqual(await ask('gyre', 'dht', 'p'), ['put'])
  assert.deepEqual(await ask('gyre', 'dht', 'put', '--if-a'), ['--if-absent'])
  assert.deepEqual(await ask('gyre', 'dht', 'put', 'key', '1', '--if-a'), ['--if-absent'])
  assert.deepEqual(await ask('gyre', 'completion', ''), ['bash', 'zsh', 'fish', ...COMMON])
  assert.deepEqual(await ask('gyre', '--url', 'x', 'jobs', '--s'), ['--status'])
  assert.deepEqual(await ask('gyre', '--json', 'jobs', '--job', 'dht', '--s'), ['--status'])
  for (const shell of ['zsh', 'fish']) {
    assert.match((await gyre(['completion', shell])).stdout, /if-absent/)
  }
  assert.equal((await gyre(['completion', 'tcsh'])).code, 2)
})

test('NO_COLOR and a pipe keep escape sequences out of what is printed', async () => {
  const { stdout } = await gyre(['jobs'], { NO_COLOR: '1' })
  assert(!stdout.includes('\u001b'))
  assert(!(await gyre(['jobs'])).stdout.includes('\u001b'))
})
