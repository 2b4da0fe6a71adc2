import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { FileError, type Files } from '@gyre/core/internal/ports/files.js'

type Operation = (done: (error: FileError | null) => void) => void

/** What every implementation of `Files` does, whatever lies below it. */
export function checkFiles(name: string, setup: (owner: Owner) => Files): void {
  const check = (claim: string, run: (files: Files) => void | Promise<void>): void => {
    test(`${name}: ${claim}`, async (t) => run(setup(t)))
  }
  checkNames(check)
  checkContent(check)
  checkAppend(check)
}

type Check = (claim: string, run: (files: Files) => void | Promise<void>) => void

function checkNames(check: Check): void {
  check('an absent folder has no names', (files) => {
    assert.deepEqual(files.list('log'), [])
  })

  check('names are listed in order, without those of other folders', (files) => {
    files.makeFolder('log')
    for (const path of ['log/b', 'log/a', 'other']) files.writeDurably(path, bytesOf('x'))
    assert.deepEqual(files.list('log'), ['a', 'b'])
  })

  check('making a folder twice is no error', (files) => {
    files.makeFolder('log')
    files.makeFolder('log')
    assert.deepEqual(files.list('log'), [])
  })

  check('a renamed file has its new name only, and replaces what had it', (files) => {
    files.writeDurably('old', bytesOf('moved'))
    files.writeDurably('new', bytesOf('replaced'))
    files.rename('old', 'new')
    assert.equal(files.exists('old'), false)
    assert.equal(textOf(files.read('new')), 'moved')
  })

  check('a removed file is gone', (files) => {
    files.writeDurably('file', bytesOf('x'))
    files.remove('file')
    assert.equal(files.exists('file'), false)
  })

  check('what does not exist fails with ENOENT', (files) => {
    for (const operation of [
      () => files.read('none'),
      () => files.readAt('none', 0, 1),
      () => files.sizeOf('none'),
      () => files.remove('none'),
      () => files.rename('none', 'other'),
      () => files.openForAppend('none'),
    ]) {
      assert.throws(operation, (error) => error instanceof FileError && error.code === 'ENOENT')
    }
  })
}

const BLOCK_BYTES = 4096

function fromDisk(
  files: Files,
  path: string,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    files.readFromDisk(path, offset, bytes, (error, content) => {
      // It is the reader's again once this has returned.
      if (error === null) resolve(Uint8Array.from(content))
      else reject(error)
    })
  })
}

function checkContent(check: Check): void {
  check('a read sees what has the name now, not what was read under it before', async (files) => {
    for (const path of ['kept', 'moved', 'gone']) {
      files.writeDurably(path, bytesOf(path))
      assert.equal(textOf(files.readAt(path, 0, 9)), path)
    }
    files.remove('gone')
    files.rename('moved', 'kept')
    assert.equal(textOf(files.readAt('kept', 0, 9)), 'moved')
    for (const path of ['moved', 'gone']) {
      assert.throws(() => files.readAt(path, 0, 9), { code: 'ENOENT' })
    }
    files.writeDurably('kept', bytesOf('over'))
    assert.equal(textOf(files.readAt('kept', 0, 9)), 'over')
    await succeeds((done) => files.preallocate('kept', 3, done))
    assert.equal(textOf(files.readAt('kept', 0, 9)), '\0\0\0')
  })

  check('many files are read in turns', (files) => {
    const paths = Array.from({ length: 30 }, (_, number) => `file-${number}`)
    for (const path of paths) files.writeDurably(path, bytesOf(path))
    for (const path of [...paths, ...paths.toReversed()]) {
      assert.equal(textOf(files.readAt(path, 0, 9)), path)
    }
  })

  check('a small file is written whole, also over a longer one', (files) => {
    files.writeDurably('file', bytesOf('a long content'))
    files.writeDurably('file', bytesOf('short'))
    assert.equal(textOf(files.read('file')), 'short')
    assert.equal(files.sizeOf('file'), 5)
  })

  check('a read at an offset ends where the file ends', (files) => {
    files.writeDurably('file', bytesOf('0123456789'))
    assert.equal(textOf(files.readAt('file', 3, 4)), '3456')
    assert.equal(textOf(files.readAt('file', 8, 4)), '89')
    assert.equal(files.readAt('file', 20, 4).length, 0)
  })

  check(
    'whole blocks are read from the disk as they were written, fewer at the end',
    async (files) => {
      const content = Uint8Array.from({ length: 5 * BLOCK_BYTES }, (_, at) => at % 251)
      files.writeDurably('file', content)
      for (const [block, blocks, found] of [
        [0, 1, 1],
        [1, 3, 3],
        [3, 9, 2],
        [0, 700, 5],
        [5, 1, 0],
        [2, 2, 2],
      ] as const) {
        const [offset, bytes] = [block * BLOCK_BYTES, blocks * BLOCK_BYTES]
        const read = await fromDisk(files, 'file', { offset, bytes })
        assert.deepEqual(read, content.slice(offset, offset + found * BLOCK_BYTES))
      }
      files.writeDurably('file', content.toReversed())
      const part = { offset: 0, bytes: BLOCK_BYTES }
      assert.deepEqual(
        await fromDisk(files, 'file', part),
        content.toReversed().slice(0, BLOCK_BYTES),
      )
      await assert.rejects(fromDisk(files, 'none', part), { code: 'ENOENT' })
    },
  )

  check('a preallocated file is all zeroes, of any size', async (files) => {
    const bytes = 1024 * 1024 + 4096
    await succeeds((done) => files.preallocate('file', bytes, done))
    const content = files.read('file')
    assert.equal(content.length, bytes)
    assert.ok(content.every((byte) => byte === 0))
  })

  check('a preallocation leaves nothing of an older file of that name', async (files) => {
    files.writeDurably('file', bytesOf('remains of a crash'))
    await succeeds((done) => files.preallocate('file', 4096, done))
    assert.ok(files.read('file').every((byte) => byte === 0))
  })
}

function checkAppend(check: Check): void {
  check('a write lands at its offset and changes nothing else', async (files) => {
    files.writeDurably('file', bytesOf('..........'))
    const file = files.openForAppend('file')
    await succeeds((done) => file.writeAndSync(3, bytesOf('abc'), done))
    file.close()
    assert.equal(textOf(files.read('file')), '...abc....')
  })

  check('a write completes in a later turn', async (files) => {
    files.writeDurably('file', bytesOf('.'))
    const file = files.openForAppend('file')
    let isDone = false
    const written = succeeds((done) =>
      file.writeAndSync(0, bytesOf('a'), (error) => {
        isDone = true
        done(error)
      }),
    )
    assert.equal(isDone, false)
    await written
    file.close()
  })

  check('an empty write only syncs', async (files) => {
    files.writeDurably('file', bytesOf('as it was'))
    const file = files.openForAppend('file')
    await succeeds((done) => file.writeAndSync(4, new Uint8Array(0), done))
    file.close()
    assert.equal(textOf(files.read('file')), 'as it was')
  })

  check('a second write before the first is done is a bug', async (files) => {
    files.writeDurably('file', bytesOf('.'))
    const file = files.openForAppend('file')
    const written = succeeds((done) => file.writeAndSync(0, bytesOf('a'), done))
    assert.throws(() => file.writeAndSync(1, bytesOf('b'), () => {}), { name: 'AssertionError' })
    await written
    file.close()
  })

  check('closing twice is no error, and a write after it is a bug', (files) => {
    files.writeDurably('file', bytesOf('.'))
    const file = files.openForAppend('file')
    file.close()
    file.close()
    assert.throws(() => file.writeAndSync(0, bytesOf('b'), () => {}), { name: 'AssertionError' })
  })
}

function succeeds(operation: Operation): Promise<void> {
  return new Promise((resolve, reject) => {
    operation((error) => (error === null ? resolve() : reject(error)))
  })
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
