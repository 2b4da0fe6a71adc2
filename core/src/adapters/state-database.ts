import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../base/app-error.js'
import { syncFolder } from './durable-folder.js'
import { freeBytes } from './free-bytes.js'
import { rowChecksum } from './row-checksum.js'
import { isFull, REBUILD, stateFailure } from './state-failure.js'

const FILE = 'state.db'

export interface StateDatabase {
  readonly db: Database.Database
  readonly path: string
  /** True when there was no state: the file was absent or had never been set up. */
  readonly isNew: boolean
  /** False: a table of the format before, whose rows lie in the order of their keys. */
  readonly isIndexed: boolean
}

/**
 * Opens the state database of a data folder with the settings that state.md argues for, and reads
 * every one of them back: SQLite ignores a pragma that it does not like without a word.
 *
 * @throws AppError `state_damaged`, `state_full`, `state_failed`, `state_sqlite_too_old`
 */
export function openStateDatabase(
  folder: string,
  options: { readonly keepsFormat: boolean },
): StateDatabase {
  const path = join(folder, FILE)
  requireVersion(path)
  // A write-ahead log without its database belongs to nothing.
  if (!existsSync(path)) rmSync(`${path}-wal`, { force: true })
  let db: Database.Database | undefined
  try {
    db = new Database(path, { timeout: LOCK_WAIT_MS })
    configure(db)
    const isNew = setUp(db, path, options)
    requireSettings(db, path)
    if (isNew) syncFolder(folder)
    const isIndexed = db.pragma('user_version', { simple: true }) === FORMAT
    return { db, path, isNew, isIndexed }
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
const FORMAT = 2

/** The same rows in a table without row IDs, as versions before wrote it: it is rebuilt when it is opened. */
const FORMAT_BEFORE = 1

/** @returns true when the table was created now */
function setUp(
  db: Database.Database,
  path: string,
  { keepsFormat }: { readonly keepsFormat: boolean },
): boolean {
  const application: unknown = db.pragma('application_id', { simple: true })
  const format: unknown = db.pragma('user_version', { simple: true })
  const tables: unknown = db
    .prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table'")
    .pluck()
    .get()
  if (application === 0 && format === 0 && tables === 0) {
    createTable(db)
    return true
  }
  const isKnown = format === FORMAT || format === FORMAT_BEFORE
  if (application !== APPLICATION_ID || !isKnown || tables !== 1) {
    throw new AppError(
      'state_damaged',
      `${path} is not a state database of this version: expected application ${APPLICATION_ID}, ` +
        `format ${FORMAT}, one table; got ${String(application)}, ${String(format)}, ` +
        `${String(tables)}. ${REBUILD}`,
      { details: { application, format, tables } },
    )
  }
  unlessFull(() => {
    const isToBeRebuilt = format === FORMAT_BEFORE && !keepsFormat
    if (isToBeRebuilt && hasRoomToRebuild(path) && isSound(db)) rebuildTable(db)
    // A write that changes nothing.
    else db.pragma(`user_version = ${String(format)}`)
  })
  return false
}

/**
 * The whole schema, readable by people. Rows lie in the order in which they came, beside an index of
 * their keys: new rows fill page after page, wherever their keys belong. In a tree of whole rows by
 * key each new job would land on a page of its own, and rows above 1000 bytes would take another.
 */
const TABLE =
  '(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, sum INTEGER NOT NULL) STRICT'

function createTable(db: Database.Database): void {
  db.transaction(() => {
    db.exec(`CREATE TABLE rows ${TABLE}`)
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${FORMAT}`)
  }).immediate()
}

/**
 * Everything is written twice, into the write-ahead log and then behind the old table. Without room
 * for that it waits for a later start, and the table is used as it is.
 */
function hasRoomToRebuild(path: string): boolean {
  return freeBytes(path) > REBUILD_FREE_TIMES * statSync(path).size
}

const REBUILD_FREE_TIMES = 3

/**
 * Each row is what was written, and stands where it belongs. A key that has rotted stands once in this
 * table, and would stand twice in the new one: as if it were certain whose row it is.
 */
function isSound(db: Database.Database): boolean {
  const rows = db
    .prepare<[], [key: string, value: string, sum: number]>(
      'SELECT key, value, sum FROM rows ORDER BY key',
    )
    .raw()
  let previous = ''
  for (const [key, value, sum] of rows.iterate()) {
    if (key <= previous || sum !== rowChecksum(key, value)) return false
    previous = key
  }
  return true
}

/** All or nothing. Checksums are copied with what they are of. */
function rebuildTable(db: Database.Database): void {
  db.transaction(() => {
    db.exec(`CREATE TABLE rebuilt ${TABLE}`)
    db.exec('INSERT INTO rebuilt (key, value, sum) SELECT key, value, sum FROM rows ORDER BY key')
    db.exec('DROP TABLE rows')
    db.exec('ALTER TABLE rebuilt RENAME TO rows')
    db.pragma(`user_version = ${FORMAT}`)
  }).immediate()
}

/** A full disk is no reason not to start. */
function unlessFull(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!isFull(error)) throw error
  }
}
