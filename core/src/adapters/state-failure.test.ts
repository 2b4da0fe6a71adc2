import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../base/app-error.js'
import { AssertionError } from '../base/assert.js'
import { stateFailure } from './state-failure.js'

const sqlite = (code: string): Error => Object.assign(new Error('as SQLite says'), { code })

test('what SQLite throws becomes one of three failures, each with a remedy', () => {
  const table: readonly (readonly [sqliteCode: string, code: string])[] = [
    ['SQLITE_FULL', 'state_full'],
    ['SQLITE_CORRUPT', 'state_damaged'],
    ['SQLITE_CORRUPT_INDEX', 'state_damaged'],
    ['SQLITE_NOTADB', 'state_damaged'],
    ['SQLITE_IOERR_SHORT_READ', 'state_damaged'],
    ['SQLITE_IOERR_CORRUPTFS', 'state_failed'],
    ['SQLITE_IOERR_READ', 'state_failed'],
    ['SQLITE_IOERR_FSYNC', 'state_failed'],
    ['SQLITE_IOERR_WRITE', 'state_failed'],
    ['SQLITE_BUSY', 'state_failed'],
    ['SQLITE_CANTOPEN', 'state_failed'],
  ]
  for (const [sqliteCode, code] of table) {
    const failure = stateFailure('cannot write to', 'state.db', sqlite(sqliteCode))
    assert.ok(failure instanceof AppError)
    assert.equal(failure.code, code, sqliteCode)
    assert.match(failure.message, /^cannot write to state\.db: as SQLite says \(SQLITE_.*\)\. \w/)
  }
})

test('our own errors pass through unchanged', () => {
  for (const error of [new AppError('state_damaged', 'a row'), new AssertionError('a bug')]) {
    assert.equal(stateFailure('cannot read', 'state.db', error), error)
  }
})
