import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FileError } from '../ports/files.js'
import { RealFiles } from './real-files.js'
import { temporaryFolder } from './testing/temporary-folder.js'
import { beginBoot, createSuperblock, loadSuperblock, noteCleanShutdown } from './superblock.js'

const IDENTITY = {
  clusterId: 'c'.repeat(32),
  nodeId: '1'.repeat(32),
  storeId: '5'.repeat(32),
  name: 'n1',
  arcCount: 256,
  prefixLen: 8,
  hashName: 'sha256',
  recoveryGen: 0,
  maxTimeSeen: 1_000,
}
const COPIES = ['superblock-a', 'superblock-b'] as const

test('a new superblock is found again, before its first boot', (t) => {
  const { files } = setup(t)
  const created = createSuperblock(files, IDENTITY)
  assert.deepEqual(loadSuperblock(files), created)
  assert.deepEqual([created.bootEpoch, created.cleanShutdown], [0, true])
})

test('a folder with a superblock is not made anew, one without is not started', (t) => {
  const { files } = setup(t)
  assert.throws(() => loadSuperblock(files), { code: 'superblock_missing' })
  createSuperblock(files, IDENTITY)
  assert.throws(() => createSuperblock(files, IDENTITY), { code: 'data_folder_not_empty' })
})

test('each boot raises the epoch and forgets the clean end of the one before', (t) => {
  const { files } = setup(t)
  createSuperblock(files, IDENTITY)
  assert.equal(beginBoot(files).bootEpoch, 1)
  noteCleanShutdown(files, { now: 5_000, logEnd: 7 })
  assert.deepEqual(
    [loadSuperblock(files).cleanShutdown, loadSuperblock(files).maxTimeSeen],
    [true, 5_000],
  )
  const second = beginBoot(files)
  assert.deepEqual([second.bootEpoch, second.cleanShutdown], [2, false])
})

test('the latest time seen never goes back', (t) => {
  const { files } = setup(t)
  createSuperblock(files, IDENTITY)
  assert.equal(noteCleanShutdown(files, { now: 10, logEnd: 7 }).maxTimeSeen, 1_000)
})

test('damage of either copy loses no boot epoch', (t) => {
  for (const copy of COPIES) {
    const { files, folder } = setup(t)
    createSuperblock(files, IDENTITY)
    beginBoot(files)
    beginBoot(files)
    flipBit(join(folder, copy), 60)
    assert.equal(loadSuperblock(files).bootEpoch, 2, copy)
    assert.equal(beginBoot(files).bootEpoch, 3)
    flipBit(join(folder, copy), 60)
    assert.equal(loadSuperblock(files).bootEpoch, 3, `${copy} was repaired by the boot`)
  }
})

test('a flipped bit in both copies is found, wherever it is', (t) => {
  const { files, folder } = setup(t)
  createSuperblock(files, IDENTITY)
  const intact = COPIES.map((copy) => readFileSync(join(folder, copy)))
  const length = intact[0]?.indexOf('  ') ?? 0
  for (let offset = 0; offset < length; offset += 4) {
    COPIES.forEach((copy, index) => {
      writeFileSync(join(folder, copy), intact[index] ?? '')
      flipBit(join(folder, copy), offset)
    })
    assert.throws(() => loadSuperblock(files), { code: 'superblock_damaged' }, `${offset}`)
  }
})

test('copies of two different nodes are refused', (t) => {
  const { files, folder } = setup(t)
  createSuperblock(files, IDENTITY)
  const { files: others, folder: otherFolder } = setup(t)
  createSuperblock(others, { ...IDENTITY, storeId: '6'.repeat(32) })
  writeFileSync(join(folder, COPIES[0]), readFileSync(join(otherFolder, COPIES[0])))
  assert.throws(() => loadSuperblock(files), { code: 'superblock_conflict' })
})

test('fields of a later version are kept', (t) => {
  const { files } = setup(t)
  createSuperblock(files, { ...IDENTITY, ...{ zone: 'eu-1' } })
  beginBoot(files)
  assert.equal(Reflect.get(noteCleanShutdown(files, { now: 1, logEnd: 7 }), 'zone'), 'eu-1')
})

class FailingFiles extends RealFiles {
  override writeDurably(): void {
    throw new FileError('EIO', 'the disk failed')
  }
}

test('a boot whose write fails is no boot', (t) => {
  const { files, folder } = setup(t)
  createSuperblock(files, IDENTITY)
  assert.throws(() => beginBoot(new FailingFiles(folder)), { code: 'EIO' })
  assert.equal(loadSuperblock(files).bootEpoch, 0)
})

function flipBit(path: string, offset: number): void {
  const content = readFileSync(path)
  content.writeUInt8(content.readUInt8(offset) ^ 1, offset)
  writeFileSync(path, content)
}

function setup(t: TestContext): { files: RealFiles; folder: string } {
  const folder = temporaryFolder(t)
  return { files: new RealFiles(folder), folder }
}

test('where the log ended at the last clean shutdown is remembered over later starts', (t) => {
  const { files } = setup(t)
  createSuperblock(files, IDENTITY)
  assert.equal(beginBoot(files).logEnd, 0)
  noteCleanShutdown(files, { now: 1, logEnd: 42 })
  assert.equal(beginBoot(files).logEnd, 42)
  assert.equal(beginBoot(files).logEnd, 42)
})
