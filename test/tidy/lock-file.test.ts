import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { read, ROOT } from './repository.js'

test('the lock file holds every package that another system needs', () => {
  const script = join(ROOT, 'test/tools/complete-lockfile.mjs')
  const check = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.equal(check.status, 0, `Remedy: run the script.\n${check.stdout}${check.stderr}`)
})

test('the lock file names no registry', () => {
  assert.doesNotMatch(
    read('package-lock.json'),
    /"resolved": "https?:/,
    'Remedy: keep omit-lockfile-registry-resolved in .npmrc and run npm install again.',
  )
})
