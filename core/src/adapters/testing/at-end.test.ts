import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { atEnd, type Owner } from './at-end.js'
import { temporaryFolder } from './temporary-folder.js'

/** An owner that ends when it is told to, as node:test ends a test: each cleanup in its turn. */
class ToldOwner implements Owner {
  readonly #cleanups: (() => unknown)[] = []

  after(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup)
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups) await cleanup()
  }
}

test('what came last is cleaned up first, and one is awaited before the next', async () => {
  const owner = new ToldOwner()
  const order: string[] = []
  atEnd(owner, () => order.push('folder'))
  atEnd(owner, async () => {
    order.push('node stops')
    await new Promise((resolve) => setImmediate(resolve))
    order.push('node is gone')
  })
  await owner.end()
  assert.deepEqual(order, ['node stops', 'node is gone', 'folder'])
})

test('a cleanup that fails is told, and the others are done all the same', async () => {
  const owner = new ToldOwner()
  const folder = temporaryFolder(owner)
  atEnd(owner, () => Promise.reject(new Error('the node hangs')))
  await assert.rejects(owner.end(), /cleaning up: Error: the node hangs/)
  assert.equal(existsSync(folder), false)
})

test('a temporary folder is empty, its owner’s alone, and goes with what is in it', async () => {
  const owner = new ToldOwner()
  const [one, other] = [temporaryFolder(owner), temporaryFolder(owner)]
  assert.notEqual(one, other)
  writeFileSync(join(one, 'file'), '')
  assert.ok(existsSync(other))
  await owner.end()
  assert.deepEqual([existsSync(one), existsSync(other)], [false, false])
})
