import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { PLANTED_BUGS, STALE_EXIT } from './list.js'

/**
 * Plants each bug by itself and runs the tests of Raft until one notices it:
 * `npm run raft-bugs`, or with parts of names. Exit code 3: a bug survives, or is stale.
 */
const DIST = join(import.meta.dirname, '..')
const RAFT = join(DIST, '..', '..', 'core', 'dist', 'protocol', 'raft')
const REGISTER = new URL('./register.js', import.meta.url).href
const TIMEOUT_MS = 120_000

const claims = readdirSync(join(RAFT, 'claims')).filter((name) => name.endsWith('.test.js'))
/** Quick ones first. */
const TESTS = [
  ...claims.map((name) => join(RAFT, 'claims', name)),
  join(RAFT, 'log.model.test.js'),
  join(RAFT, 'quorum.model.test.js'),
  join(DIST, 'golden', 'raft.test.js'),
  join(RAFT, 'random-group.test.js'),
]

/** @returns the test that notices it; null: none does */
function catcherOf(bug: string): string | null {
  for (const test of TESTS) {
    const { status } = spawnSync(process.execPath, ['--import', REGISTER, test], {
      env: { ...process.env, GYRE_RAFT_BUG: bug },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: TIMEOUT_MS,
    })
    if (status === STALE_EXIT) return null
    if (status !== 0) return test
  }
  return null
}

const parts = process.argv.slice(2)
let survivors = 0
for (const { name } of PLANTED_BUGS) {
  if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue
  const test = catcherOf(name)
  if (test === null) survivors += 1
  console.log(test === null ? `SURVIVES ${name}` : `caught   ${name} by ${basename(test)}`)
}
console.log(`${survivors} survive`)
process.exitCode = survivors === 0 ? 0 : 3
