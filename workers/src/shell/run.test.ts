import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ServiceError } from '../sdk/index.js'
import { runService } from '../testing/index.js'
import { run } from './run.js'

type Input = Parameters<typeof run.run>[0]

const ALL = { config: { 'shell.run': { allow: true } } }

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-shell-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function outcome(input: Input, options: Parameters<typeof runService>[2] = ALL) {
  const ended = await runService(run, input, options).ended
  if (ended.kind === 'succeeded') return ended.output
  const { code, retryable } = ended.error as ServiceError
  return `${code} ${retryable ? 'retry' : 'never'}`
}

test("a program gets its arguments as they are, its input, and none of the node's environment", async () => {
  process.env['GYRE_SECRET_x'] = 'hidden'
  const argv = ['sh', '-c', 'cat; echo "$1|$OWN|$GYRE_SECRET_x"; echo e >&2', 'sh', '$(id); *']
  assert.deepEqual(await outcome({ argv, stdin: 'in ', env: { OWN: 'o' } }), {
    exitCode: 0,
    signal: null,
    stdout: 'in $(id); *|o|\n',
    stderr: 'e\n',
    cut: false,
  })
  delete process.env['GYRE_SECRET_x']
})

test('nothing runs unless the owner has allowed that very program', async (t) => {
  const mark = join(folderOf(t), 'mark')
  const argv = ['touch', mark]
  for (const config of [
    {},
    { 'shell.run': { allow: [] } },
    { 'shell.run': { allow: ['touch '] } },
  ]) {
    assert.equal(await outcome({ argv }, { config }), 'program_refused never')
  }
  assert.equal(
    await outcome({ argv }, { config: { 'shell.run': { allow: 'touch' } } }),
    'config_invalid never',
  )
  assert.equal(existsSync(mark), false)
  await outcome({ argv }, { config: { 'shell.run': { allow: ['touch'] } } })
  assert.equal(existsSync(mark), true)
})

test('a failure says how the program ended, and any end can be a result', async () => {
  assert.equal(await outcome({ argv: ['sh', '-c', 'exit 3'] }), 'program_failed retry')
  assert.equal(await outcome({ argv: ['no-such-program'] }), 'program_not_started never')
  const any = await outcome({ argv: ['sh', '-c', 'kill -9 $$'], accept: 'any' })
  assert.deepEqual(any, { exitCode: null, signal: 'SIGKILL', stdout: '', stderr: '', cut: false })
  assert.equal(
    await outcome({ argv: ['cat'], stdin: 'x'.repeat(200_000) }),
    'stdin_too_large never',
  )
})

test('of much output the end is kept', async () => {
  const script = 'i=0; while [ $i -lt 30000 ]; do echo "line $i"; i=$((i+1)); done'
  const output = await outcome({ argv: ['sh', '-c', script] })
  assert.ok(typeof output === 'object' && output !== null && 'stdout' in output)
  const { stdout, cut } = output as { stdout: string; cut: boolean }
  assert.equal(cut, true)
  assert.equal(stdout.length, 64 * 1024)
  assert.match(stdout, /line 29999\n$/)
})

test('an abort ends the whole group, also what ignores being asked', async (t) => {
  const pids = join(folderOf(t), 'pids')
  const script = 'trap "" TERM; sleep 600 & echo $$ $! > "$0"; while :; do sleep 1; done'
  const running = runService(run, { argv: ['sh', '-c', script, pids] }, ALL)
  const late = Date.now() + 10_000
  while (!existsSync(pids) || readFileSync(pids, 'utf8').trim() === '') {
    assert.ok(Date.now() < late, 'the program has not begun')
    await new Promise((resolve) => setImmediate(resolve))
  }
  const [shell, child] = readFileSync(pids, 'utf8').trim().split(' ').map(Number)
  running.abort('timed_out')
  const ended = await running.ended
  assert.equal(ended.kind === 'failed' && (ended.error as Error).name, 'AbortError')
  for (const pid of [shell, child]) await gone(pid ?? 0)
})

test('what a program leaves behind in its group goes with it', async (t) => {
  const pids = join(folderOf(t), 'pids')
  await outcome({ argv: ['sh', '-c', 'sleep 600 & echo $! > "$0"', pids] })
  await gone(Number(readFileSync(pids, 'utf8')))
})

/** A killed process closes its files before it is gone: that it goes is waited for, not how soon. */
async function gone(pid: number): Promise<void> {
  const late = Date.now() + 10_000
  while (isRunning(pid)) {
    assert.ok(Date.now() < late, `process ${pid} still runs`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A zombie runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
