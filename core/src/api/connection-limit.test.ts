import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionsMaxFor, openFilesMax, softLimitIn } from './connection-limit.js'
import { CONNECTIONS_MAX, OPEN_FILES_ASSUMED, OPEN_FILES_RESERVED } from './limits.js'

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63201                63201                processes
Max open files            1024                 1048576              files
Max locked memory         8388608              8388608              bytes
`

test('connections leave files for the node itself, whatever the process may open', () => {
  const table = [
    [Number.POSITIVE_INFINITY, CONNECTIONS_MAX],
    [1_048_576, CONNECTIONS_MAX],
    [CONNECTIONS_MAX, CONNECTIONS_MAX - OPEN_FILES_RESERVED],
    [1025, 513],
    [1024, 512],
    [1023, 511],
    [128, 64],
  ] as const
  for (const [files, connections] of table) {
    assert.equal(connectionsMaxFor(files), connections, `${files} open files`)
  }
})

test('the soft limit counts, not the hard one', () => {
  assert.equal(softLimitIn(LIMITS), 1024)
  assert.equal(softLimitIn(LIMITS.replace('1024   ', 'unlimited')), Number.POSITIVE_INFINITY)
})

test('a system that does not tell its limit gets a safe guess', () => {
  assert.equal(softLimitIn(''), OPEN_FILES_ASSUMED)
  assert.ok(connectionsMaxFor(OPEN_FILES_ASSUMED) < CONNECTIONS_MAX)
})

test('this process has a limit', () => {
  assert.ok(openFilesMax() > 0)
})
