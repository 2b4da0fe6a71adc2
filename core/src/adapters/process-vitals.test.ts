import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderVitals, processVitals } from './process-vitals.js'
import { temporaryFolder } from './testing/temporary-folder.js'

test('a data folder is as large as its files; what is not there has no size', (t) => {
  const folder = temporaryFolder(t)
  const { free, ...empty } = folderVitals(folder)
  assert.deepEqual(empty, { log: 0, state: 0, stateWal: 0 })
  assert.ok(free !== null && free > 0)
  mkdirSync(join(folder, 'log'))
  mkdirSync(join(folder, 'state'))
  writeFileSync(join(folder, 'log', 'one'), 'x'.repeat(10))
  writeFileSync(join(folder, 'log', 'two'), 'x'.repeat(20))
  writeFileSync(join(folder, 'state', 'state.db'), 'x'.repeat(3))
  writeFileSync(join(folder, 'state', 'state.db-wal'), 'x'.repeat(4))
  const { free: _, ...sizes } = folderVitals(folder)
  assert.deepEqual(sizes, { log: 30, state: 3, stateWal: 4 })
})

test('a process that opens a file has one more open', (t) => {
  const before = processVitals()
  writeFileSync(join(temporaryFolder(t), 'gone'), '')
  assert.equal(processVitals().openFiles, before.openFiles)
  assert.ok(before.residentBytes > 1e6)
  assert.ok(Math.abs(before.startedAt + performance.now() / 1000 - Date.now() / 1000) < 60)
})
