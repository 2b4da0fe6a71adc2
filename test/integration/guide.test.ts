import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { GYRE, NodeProcess } from './node-process.js'

const REPOSITORY = join(import.meta.dirname, '..', '..', '..')
const GUIDE = join(REPOSITORY, 'core/docs/guides/your-first-service.md')
const COMMAND_TIMEOUT_MS = 60_000

interface Block {
  readonly language: string
  readonly lines: readonly string[]
}

function blocksOf(document: string): Block[] {
  const blocks = document.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)
  return [...blocks].map(([, language = '', body = '']) => {
    return { language, lines: body.trimEnd().split('\n') }
  })
}

/** The folder that a reader of the guide has, with the packages that they install. */
async function readersFolder(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Blocks that open with the name of a file are that file. @returns false for any other block */
async function writeBlock(folder: string, { lines: [first = '', ...rest] }: Block) {
  const [, path] = /^\/\/ (\S+\.(?:ts|json))$/.exec(first) ?? []
  if (path === undefined) return false
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), rest.join('\n'))
  return true
}

/** @returns what the command printed, stderr behind stdout, and how it ended if not with 0 */
async function shell(folder: string, command: string, environment = {}): Promise<string> {
  const child = spawn(
    'bash',
    ['-c', `gyre() { "${process.execPath}" "${GYRE}" "$@"; }\n${command}`],
    {
      cwd: folder,
      // Tests of the reader are no part of this one.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...environment },
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return `${stdout}${stderr}${code === 0 ? '' : `[exit ${code}]\n`}`
}

/** Without what is different each time; how wide columns are does not matter. */
function masked(printed: string, job: string): string[] {
  const told = printed
    .replaceAll(job || 'JOB', 'JOB')
    .replace(/\b[0-9a-f]{32}\b/g, 'ID')
    .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\bfence=\d+/g, 'fence=N')
    .replace(/(\S) {2,}/g, '$1  ')
  const lines = told.trimEnd().split('\n')
  return lines.filter((line) => !/^\w+ \d+\/\d+$/.test(line))
}

/** Runs what stands behind each `$ ` and compares with what stands below it. */
async function runConsole(folder: string, { lines }: Block, url: string): Promise<void> {
  for (const part of lines.join('\n').split(/^\$ /m).slice(1)) {
    const [command = '', ...expected] = part.trimEnd().split('\n')
    const known = knownJob.get(folder) ?? ''
    const printed = await shell(folder, command.replaceAll('JOB', known), { GYRE_URL: url })
    const job = /^[0-9a-f]{32}$/m.exec(printed)?.[0] ?? known
    knownJob.set(folder, job)
    assert.deepEqual(masked(printed, job), masked(expected.join('\n'), ''), command)
  }
}

/** The job that a reader has submitted last. */
const knownJob = new Map<string, string>()

test('the guide to a first service does what it says, word by word', async (t) => {
  const folder = await readersFolder(t)
  let node: NodeProcess | null = null
  let ran = 0
  for (const block of blocksOf(readFileSync(GUIDE, 'utf8'))) {
    if (await writeBlock(folder, block)) {
      // As its reader does, who stops `gyre dev` and starts it again: data is in a temporary folder.
      await node?.terminate()
      node = null
    } else if (block.language === 'console') {
      const start = ['--data', temporaryFolder(t), '--init', '--workers', join(folder, 'services')]
      node ??= await NodeProcess.start(t, start)
      await runConsole(folder, block, node.url)
      ran += 1
    } else if (block.lines.some((line) => line.includes('--test'))) {
      const printed = await shell(folder, block.lines.join('\n'))
      // Node.js 20 sums up as TAP where nobody looks, later versions as they do on a terminal.
      assert.match(printed, /^[#ℹ] pass 3$[\s\S]*^[#ℹ] fail 0$/m)
      ran += 1
    }
  }
  assert.equal(ran, 5, 'blocks that were run')
})

test('what the guide shows is right to a strict compiler', async (t) => {
  const folder = await readersFolder(t)
  for (const block of blocksOf(readFileSync(GUIDE, 'utf8'))) await writeBlock(folder, block)
  assert.equal((await readdir(join(folder, 'services'))).length, 3)
  const flags = '--noEmit --strict --module nodenext --target es2023 --types node --skipLibCheck'
  assert.equal(await shell(folder, `node_modules/.bin/tsc ${flags} services/*.ts`), '')
})
