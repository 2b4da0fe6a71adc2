import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileError } from '../ports/files.js'
import { RealFiles } from './real-files.js'
import { temporaryFolder } from './testing/temporary-folder.js'

test('a preallocation that would take what is reserved fails as on a full disk, and leaves nothing', async (t) => {
  const files = new RealFiles(temporaryFolder(t), () => Number.MAX_SAFE_INTEGER)
  const error = await new Promise<FileError | null>((resolve) => {
    files.preallocate('spare', 4096, resolve)
  })
  assert.equal(error?.code, 'ENOSPC')
  assert.equal(files.exists('spare'), false)
})
