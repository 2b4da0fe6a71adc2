import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../base/app-error.js'
import { syncFolder } from './durable-folder.js'
import { isFull, REBUILD, stateFailure } from './state-failure.js'

const FILE = 'state.db'

export interface StateDatabase {
  readonly db: Database.Database
  readonly path: string
  /** True when there was no state: the file was absent or had never been set up. */
  readonly isNew: boolean
}

/**
 * Opens the state database of a data folder with the settings that state.md argues for, and reads
 * every one of them back: SQLite ignores a pragma that it does not like without a word.
 *
 * @throws AppError `state_damaged`, `state_full`, `state_failed`, `state_sqlite_too_old`
 */
export function openStateDatabase(folder: string): StateDatabase {
  const path = join(folder, FILE)
  requireVersion(path)
  // A write-ahead log without its database belongs to nothing.
  if (!existsSync(path)) rmSync(`${path}-wal`, { force: true })
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: LOCK_WAIT_MS })
    configure(db)
    const isNew = setUp(db, path)
    requireSettings(db, path)
    if (isNew) syncFolder(folder)
    return { db, path, isNew }
  } catch (error) {
    db?.close()
    throw stateFailure('cannot open the state database', path, error)
  }
}

/**
 * Moves a damaged state database out of the way, as `state.db.damaged`, so that the next open finds
 * none. One that was moved before is replaced.
 */
export function setStateDatabaseAside(folder: string): void {
  for (const suffix of ['', '-wal']) {
    const path = join(folder, `${FILE}${suffix}`)
    const aside = join(folder, `${FILE}.damaged${suffix}`)
    rmSync(aside, { force: true })
    if (existsSync(path)) renameSync(path, aside)
  }
  syncFolder(folder)
}

/**
 * Before 3.51.3 a race at the reset of the write-ahead log could corrupt the database
 * (sqlite.org/wal.html, "the WAL-reset bug").
 */
const VERSION_MIN = [3, 51, 3] as const

function requireVersion(path: string): void {
  const memory = new Database(':memory:')
  const version = String(memory.prepare('SELECT sqlite_version()').pluck().get())
  memory.close()
  const parts = version.split('.').map(Number)
  for (const [at, least] of VERSION_MIN.entries()) {
    const part = parts[at] ?? 0
    if (part > least) return
    if (part === least) continue
    throw new AppError(
      'state_sqlite_too_old',
      `cannot open ${path}: expected SQLite ${VERSION_MIN.join('.')} or newer, got ${version}. ` +
        'Reinstall the dependencies with "npm ci"; better-sqlite3 brings its own SQLite.',
      { details: { version } },
    )
  }
}

/** A second program that holds the file is refused after this; a dead one holds nothing. */
const LOCK_WAIT_MS = 1000

/**
 * Exclusive locking comes first: with it SQLite keeps the index of the write-ahead log on its heap
 * instead of in a memory-mapped file, where a full disk would be a SIGBUS.
 */
function configure(db: Database.Database): void {
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma('wal_autocheckpoint = 0')
  db.pragma('mmap_size = 0')
  db.pragma('cell_size_check = ON')
  db.pragma('trusted_schema = OFF')
}

const SETTINGS: readonly (readonly [name: string, expected: string | number])[] = [
  ['locking_mode', 'exclusive'],
  ['journal_mode', 'wal'],
  ['synchronous', 1],
  ['wal_autocheckpoint', 0],
]

/** To be called after a write: better-sqlite3's build changes `synchronous` at the first one. */
function requireSettings(db: Database.Database, path: string): void {
  for (const [name, expected] of SETTINGS) {
    const found: unknown = db.pragma(name, { simple: true })
    if (found === expected) continue
    throw new AppError(
      'state_failed',
      `cannot use ${path}: expected ${name} = ${expected}, got ${String(found)}. ` +
        'Put the data folder on a local file system.',
      { details: { name, expected, found } },
    )
  }
}

/** "Gyre" in the file's header tells our database from anybody else's. */
const APPLICATION_ID = 0x47797265
const FORMAT = 1

/** @returns true when the table was created now */
function setUp(db: Database.Database, path: string): boolean {
  const application: unknown = db.pragma('application_id', { simple: true })
  const format: unknown = db.pragma('user_version', { simple: true })
  const tables: unknown = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (application === 0 && format === 0 && tables === 0) {
    createTable(db)
    return true
  }
  if (application !== APPLICATION_ID || format !== FORMAT || tables !== 1) {
    throw new AppError(
      'state_damaged',
      `${path} is not a state database of this version: expected application ${APPLICATION_ID}, ` +
        `format ${FORMAT}, one table; got ${String(application)}, ${String(format)}, ` +
        `${String(tables)}. ${REBUILD}`,
      { details: { application, format, tables } },
    )
  }
  writeOnce(db)
  return false
}

/** The whole schema: readable by people, one tree, ordered by the bytes of the key. */
function createTable(db: Database.Database): void {
  db.transaction(() => {
    db.exec(
      'CREATE TABLE rows (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, ' +
        'sum INTEGER NOT NULL) WITHOUT ROWID, STRICT',
    )
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${FORMAT}`)
  }).immediate()
}

/** A write that changes nothing. On a full disk it fails, which is no reason not to start. */
function writeOnce(db: Database.Database): void {
  try {
    db.pragma(`user_version = ${FORMAT}`)
  } catch (error) {
    if (!isFull(error)) throw error
  }
}
