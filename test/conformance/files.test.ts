import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RealFiles } from '@gyre/core/internal/adapters/real-files.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import { SimFiles } from '../sim/disk.js'
import { checkFiles } from './files.conformance.js'

checkFiles('RealFiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-files-'))
  return { files: new RealFiles(folder), dispose: () => rmSync(folder, { recursive: true }) }
})

checkFiles('SimFiles', () => ({
  files: new SimFiles({ prng: new Prng(1), schedule: (_delayMs, run) => setImmediate(run) }),
  dispose: () => {},
}))

test('RealFiles: a preallocation that the system refuses leaves no file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-files-'))
  const files = new RealFiles(folder)
  const code = await new Promise((resolve) =>
    files.preallocate('no-such-folder/file', 4096, (error) => resolve(error?.code)),
  )
  assert.equal(code, 'ENOENT')
  assert.deepEqual(files.list('.'), [])
  rmSync(folder, { recursive: true })
})
