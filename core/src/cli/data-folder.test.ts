import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../adapters/testing/temporary-folder.js'
import { holdsNoNode } from './data-folder.js'

async function folderWith(t: TestContext, names: readonly string[]): Promise<string> {
  const folder = temporaryFolder(t)
  for (const name of names) {
    if (name.endsWith('/')) await mkdir(join(folder, name))
    else await writeFile(join(folder, name), '')
  }
  return folder
}

test('a folder holds no node when it is missing, empty, or has what a start left that came no further', async (t) => {
  const empty = await folderWith(t, [])
  assert.equal(await holdsNoNode(empty), true)
  assert.equal(await holdsNoNode(join(empty, 'missing')), true)
  for (const left of [
    ['lock.db', 'lock.db-journal'],
    ['lock.db', 'log/', 'state/'],
  ]) {
    assert.equal(await holdsNoNode(await folderWith(t, left)), true, left.join())
  }
})

test('one superblock, or anything that is not the node’s, is not overlooked', async (t) => {
  for (const used of [['superblock-b', 'log/'], ['superblock-a'], ['lock.db', 'thesis.tex']]) {
    assert.equal(await holdsNoNode(await folderWith(t, used)), false, used.join())
  }
})
