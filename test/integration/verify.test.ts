import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { GYRE, NodeProcess } from './node-process.js'
import { RestClient } from './rest-client.js'

/** `gyre verify` on the files of a node that has done something and was stopped. */

const file = ownerOfThisFile()
let folder: string
let intact: string
let copies = 0

before(async () => {
  folder = temporaryFolder(file)
  intact = join(folder, 'intact')
  const node = await NodeProcess.start(file, ['--data', intact, '--init', '--arcs', '4'])
  const rest = RestClient.open(file, node.url)
  for (let number = 0; number < 5; number += 1) {
    const { body } = await rest.submit({ service: 'test.echo', input: NEEDLE })
    await rest.finished(body.id)
  }
  await node.terminate()
})

/** A copy that a test may spoil. */
async function copy(): Promise<string> {
  copies += 1
  const path = join(folder, `copy-${copies}`)
  await cp(intact, path, { recursive: true })
  return path
}

async function verify(path: string) {
  const child = spawn(process.execPath, [GYRE, 'verify', path, '--json'])
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  const verdict: ReturnType<typeof JSON.parse> = stdout === '' ? null : JSON.parse(stdout)
  return { code, stderr, verdict }
}

const NEEDLE = 'a needle in the state'

/** Spoils every place where the file holds a text, here that of the jobs' inputs; old copies of a row may be dead. */
async function flipNeedles(
  path: string,
  { most = Number.POSITIVE_INFINITY, needle = NEEDLE }: { most?: number; needle?: string } = {},
): Promise<void> {
  const content = await readFile(path)
  const first = content.indexOf(needle)
  assert.ok(first > 0)
  for (let at = first, count = 0; at > 0 && count < most; count += 1) {
    await flip(path, at + needle.length - 1)
    at = content.indexOf(needle, at + 1)
  }
}

async function flip(path: string, offset: number): Promise<void> {
  const handle = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, offset)
  byte[0] = (byte[0] ?? 0) ^ 0x10
  await handle.write(byte, 0, 1, offset)
  await handle.close()
}

function codesOf(findings: readonly { readonly part: string; readonly code: string }[]): string[] {
  return findings.map(({ part, code }) => `${part} ${code}`)
}

test('the files of a node that stopped in good order are all right', async () => {
  const { code, verdict } = await verify(intact)
  assert.deepEqual([code, verdict.ok, verdict.faults, verdict.notes], [0, true, [], []])
  assert.equal(verdict.log.arcs, 5)
})

test('one flipped bit in the middle of the log is found, and nothing is repaired', async () => {
  const path = await copy()
  const [segment = ''] = (await readdir(join(path, 'log'))).sort()
  await flipNeedles(join(path, 'log', segment), { most: 1 })
  for (let round = 0; round < 2; round += 1) {
    const { code, verdict } = await verify(path)
    assert.equal(code, 1)
    assert.ok(codesOf(verdict.faults).includes('log log_damaged'), JSON.stringify(verdict))
  }
})

test('flipped bits in stamps of the log cost nothing, and verify and the next start tell of them', async (t) => {
  const path = await copy()
  const [segment = ''] = (await readdir(join(path, 'log'))).sort()
  await flip(join(path, 'log', segment), 0)
  await flip(join(path, 'log', segment), 4096 + 3)
  const { code, verdict } = await verify(path)
  assert.deepEqual(
    [code, verdict.faults, codesOf(verdict.notes)],
    [0, [], ['log log_stamp_altered']],
  )
  const node = await NodeProcess.start(t, ['--data', path])
  assert.match(node.stderr, /"log_stamp_altered".*offset 0 and 1 more/)
})

test('flipped bits in rows of the state are found', async () => {
  const path = await copy()
  await flipNeedles(join(path, 'state', 'state.db'))
  const { code, verdict } = await verify(path)
  assert.equal(code, 1)
  const codes = codesOf(verdict.faults)
  assert.ok(codes.length > 0 && codes.every((one) => one === 'state arc_damaged'), codes.join())
  for (const { message } of verdict.faults)
    assert.match(message, /^arc \d: .*start this node again/)
})

test('an arc whose applied index has rotted is told of, and not marked: looking changes nothing', async () => {
  const path = await copy()
  const database = join(path, 'state', 'state.db')
  await flipNeedles(database, { needle: 'applied{"index"' })
  const { code, verdict } = await verify(path)
  assert.deepEqual([code, codesOf(verdict.faults)[0]], [1, 'state arc_damaged'])
  assert.equal((await readFile(database)).includes('~damaged/'), false)
})

test('one damaged copy of the superblock is worth a note, two are damage', async () => {
  const path = await copy()
  await flip(join(path, 'superblock-a'), 30)
  const one = await verify(path)
  assert.deepEqual(
    [one.code, codesOf(one.verdict.notes)],
    [0, ['superblock superblock_copy_damaged']],
  )
  await flip(join(path, 'superblock-b'), 30)
  const two = await verify(path)
  assert.deepEqual([two.code, codesOf(two.verdict.faults)], [1, ['superblock superblock_damaged']])
})

test('a log that ends too soon, and a state that is ahead of it, are found', async () => {
  const path = await copy()
  const [segment = '', ...others] = (await readdir(join(path, 'log'))).sort()
  for (const name of others) await rm(join(path, 'log', name))
  const content = await readFile(join(path, 'log', segment))
  await writeFile(join(path, 'log', segment), content.fill(0, 8192))
  const { code, verdict } = await verify(path)
  assert.equal(code, 1)
  assert.ok(codesOf(verdict.faults).includes('log log_lost'), JSON.stringify(verdict))
  assert.ok(codesOf(verdict.faults).includes('state log_lost'), JSON.stringify(verdict))
})

test('a state that is missing is no damage while the log reaches back to the beginning', async () => {
  const path = await copy()
  await rm(join(path, 'state'), { recursive: true })
  await assertRebuiltByStart(path)
  await mkdir(join(path, 'state'))
  await assertRebuiltByStart(path)
  await writeFile(join(path, 'state', 'state.db'), '')
  for (let round = 0; round < 2; round += 1) await assertRebuiltByStart(path)
})

async function assertRebuiltByStart(path: string): Promise<void> {
  const { code, verdict } = await verify(path)
  assert.deepEqual([code, codesOf(verdict.notes)], [0, ['state state_missing']])
}

test('a folder on which a node runs, and one that holds none, are refused', async (t) => {
  const path = await copy()
  await NodeProcess.start(t, ['--data', path])
  const running = await verify(path)
  assert.deepEqual([running.code, running.verdict], [1, null])
  assert.match(running.stderr, /another Gyre process uses the data folder/)
  const none = await verify(join(folder, 'nothing'))
  assert.deepEqual([none.code, none.verdict], [1, null])
  assert.match(none.stderr, /holds no node/)
})
