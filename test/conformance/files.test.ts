import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { RealFiles } from '@gyre/core/internal/adapters/real-files.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import { SimFiles } from '../sim/disk.js'
import { checkFiles } from './files.conformance.js'

checkFiles('RealFiles', (t) => new RealFiles(temporaryFolder(t)))

checkFiles(
  'SimFiles',
  () => new SimFiles({ prng: new Prng(1), schedule: (_delayMs, run) => setImmediate(run) }),
)

test('RealFiles: a preallocation that the system refuses leaves no file', async (t) => {
  const files = new RealFiles(temporaryFolder(t))
  const code = await new Promise((resolve) =>
    files.preallocate('no-such-folder/file', 4096, (error) => resolve(error?.code)),
  )
  assert.equal(code, 'ENOENT')
  assert.deepEqual(files.list('.'), [])
})
