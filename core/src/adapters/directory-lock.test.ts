import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DirectoryLock } from './directory-lock.js'
import { atEnd, type Owner } from './testing/at-end.js'
import { temporaryFolder } from './testing/temporary-folder.js'

const MODULE = new URL('./directory-lock.js', import.meta.url).href

test('a second process is told that the folder is in use, and what to do', async (t) => {
  const folder = temporaryFolder(t)
  const holder = await holderOf(t, folder)
  assert.throws(
    () => DirectoryLock.take(folder),
    (error) => error instanceof Error && /another Gyre process.*--data/.test(error.message),
  )
  await ended(holder, 'SIGTERM')
})

test('the lock of a killed process is free at once', async (t) => {
  const folder = temporaryFolder(t)
  const holder = await holderOf(t, folder)
  assert.throws(() => DirectoryLock.take(folder), { code: 'data_folder_in_use' })
  await ended(holder, 'SIGKILL')
  DirectoryLock.take(folder).release()
})

test('a released lock can be taken again, a held one not even by the same process', (t) => {
  const folder = temporaryFolder(t)
  const first = DirectoryLock.take(folder)
  assert.throws(() => DirectoryLock.take(folder), { code: 'data_folder_in_use' })
  first.release()
  DirectoryLock.take(folder).release()
})

test('a lock file that is no lock file is refused with the way out', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'lock.db'), 'not a database at all'.repeat(100))
  assert.throws(() => DirectoryLock.take(folder), { code: 'data_folder_unusable' })
})

/** A child process that holds the lock until it is ended. */
async function holderOf(owner: Owner, folder: string): Promise<ChildProcess> {
  const script = `import(${JSON.stringify(MODULE)}).then(({ DirectoryLock }) => {
    globalThis.lock = DirectoryLock.take(${JSON.stringify(folder)})
    process.stdout.write('held')
    setInterval(() => {}, 1000)
  })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(owner, () => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
