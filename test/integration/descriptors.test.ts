import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from './node-process.js'

const REAL_FILES = import.meta.resolve('@gyre/core/internal/adapters/real-files.js')

test('without a free descriptor files can be read, and nothing else is half done', async (t) => {
  const folder = await temporaryFolder(t)
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name)
  const script = `
    const { openSync } = await import('node:fs')
    const { RealFiles } = await import(${JSON.stringify(REAL_FILES)})
    const files = new RealFiles(${JSON.stringify(folder)})
    const codeOf = (run) => { try { run(); return 'done' } catch (error) { return error.code } }
    const textOf = (path) => Buffer.from(files.readAt(path, 0, 1)).toString()
    textOf('a')
    while (codeOf(() => openSync('.', 'r')) === 'done') {}
    const codes = [
      codeOf(() => files.openForAppend('a')),
      codeOf(() => files.rename('a', 'd')),
      codeOf(() => files.remove('b')),
      await new Promise((done) => files.preallocate('d', 4096, (error) => done(error?.code))),
    ]
    process.stdout.write(JSON.stringify({ codes, texts: ['b', 'c', 'a'].map(textOf) }))`
  const found = await outputUnderLimit(64, script)
  assert.deepEqual(found, {
    codes: ['EMFILE', 'EMFILE', 'EMFILE', 'EMFILE'],
    texts: ['b', 'c', 'a'],
  })
})

/** What a script writes as JSON, in a process that may open so many files. */
async function outputUnderLimit(openFiles: number, script: string): Promise<unknown> {
  const command = `ulimit -n ${openFiles}; exec "$0" --input-type=module -e "$1"`
  const run = promisify(execFile)
  const { stdout } = await run('sh', ['-c', command, process.execPath, script])
  return JSON.parse(stdout)
}
