import { statSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { AppError } from '../base/app-error.js'
import { broken } from '../base/assert.js'
import { isLatin1 } from '../base/latin1.js'
import type { Table, TableChange, TableRow } from '../protocol/state/table.js'
import type { ScrubBounds, ScrubSlice } from '../ports/scrub.js'
import { freeBytes } from './free-bytes.js'
import { rowChecksum } from './row-checksum.js'
import { openStateDatabase, type StateDatabase } from './state-database.js'
import { REBUILD, stateFailure, stateFull } from './state-failure.js'

export interface SqliteTableOptions {
  readonly walBytesMax?: number
  /** True: a table of the format before stays one. */
  readonly keepsFormat?: boolean
}

/**
 * The state table in SQLite (core/docs/protocol/state.md). One connection, one thread. Its commits
 * survive the end of the process; only `checkpoint` makes them survive a power cut.
 *
 * @throws every call: AppError `state_damaged`, `state_full` or `state_failed` (state-failure.ts)
 */
export class SqliteTable implements Table {
  /** True when there was no state in the folder. */
  readonly isNew: boolean
  readonly #db: Database.Database
  readonly #path: string
  readonly #walBytesMax: number
  readonly #statements: Statements

  static open(folder: string, options: SqliteTableOptions = {}): SqliteTable {
    const { walBytesMax = WAL_BYTES_MAX, keepsFormat = false } = options
    return new SqliteTable(openStateDatabase(folder, { keepsFormat }), walBytesMax)
  }

  private constructor(database: StateDatabase, walBytesMax: number) {
    const { db, path, isNew } = database
    this.#db = db
    this.#path = path
    this.isNew = isNew
    this.#walBytesMax = walBytesMax
    this.#statements = prepare(database)
  }

  get(key: string): string | undefined {
    return this.#doing('cannot read', () => {
      const row = this.#statements.get.get(key)
      return row === undefined ? undefined : this.#verified(row).value
    })
  }

  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    const statement = reverse ? this.#statements.scanReverse : this.#statements.scan
    return this.#doing('cannot read', () =>
      statement.all(from, to, limit).map((row) => this.#verified(row)),
    )
  }

  commit(changes: readonly TableChange[]): void {
    // Before, not after: when it fails, nothing of this commit has happened yet.
    this.#makeRoom(changes)
    this.#doing('cannot write to', () => this.#statements.commit(changes))
  }

  clear(from: string, to: string): void {
    this.#doing('cannot write to', () => this.#statements.clear.run(from, to))
  }

  /**
   * A checkpoint needs as much free space as the database grows by: where others take that, it can
   * never complete, and with it nothing is ever freed. So the log is emptied while that is possible,
   * and a commit that would leave no room for its own checkpoint is refused.
   */
  #makeRoom(changes: readonly TableChange[]): void {
    const { walBytes } = this
    const chars = changes.reduce((sum, { key, value = '' }) => sum + key.length + value.length, 0)
    const most = 2 * (chars + changes.length * PAGE_BYTES)
    const isShort = walBytes > 0 && freeBytes(this.#path) < walBytes + most
    if (walBytes > this.#walBytesMax || isShort) this.checkpoint()
    if (freeBytes(this.#path) < 2 * chars) throw stateFull(this.#path)
  }

  /**
   * At `synchronous = NORMAL` SQLite syncs the write-ahead log before it copies it into the database,
   * and syncs the database before it counts the copy as complete (sqlite.org/pragma.html,
   * "synchronous"; walCheckpoint in wal.c). TRUNCATE then empties the log: a log whose pages are all
   * copied must not be read again after a rotten frame has cut it short, since its older pages would
   * hide newer ones of the database.
   */
  checkpoint(): void {
    const [outcome] = this.#doing('cannot checkpoint', () =>
      this.#db.prepare<[], CheckpointRow>('PRAGMA wal_checkpoint(TRUNCATE)').all(),
    )
    if (outcome !== undefined && outcome.busy === 0 && outcome.log === outcome.checkpointed) return
    throw new AppError(
      'state_failed',
      `checkpoint of ${this.#path} did not complete: ${JSON.stringify(outcome)}. ` +
        'Close any other program that reads this file.',
      { details: { ...outcome } },
    )
  }

  /** Size of the write-ahead log: what a checkpoint would have to copy. */
  get walBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  /**
   * Verifies the next rows after `fromKey` ('' to begin), their checksums and their order, until one
   * of the bounds is reached.
   *
   * @throws AppError `state_damaged` at the first row that is not what was written
   */
  scrub(fromKey: string, bounds: ScrubBounds): ScrubSlice {
    return this.#doing('cannot verify', () => {
      // What is in the page cache was right when it was read: a pass is to see the disk.
      if (fromKey === '') this.#db.pragma('shrink_memory')
      return this.#scrub(fromKey, bounds)
    })
  }

  #scrub(fromKey: string, { rowsMax, charsMax }: ScrubBounds): ScrubSlice {
    let previous = fromKey
    let rows = 0
    let chars = 0
    for (const [ownKey, ...row] of this.#statements.after.iterate(fromKey, rowsMax)) {
      const { key, value } = this.#verified(row)
      if (key !== ownKey) throw this.#damage(`row ${JSON.stringify(ownKey)} is found as ${key}`)
      if (key <= previous) throw this.#damage(`row ${JSON.stringify(key)} stands out of order`)
      previous = key
      rows += 1
      chars += key.length + value.length
      if (chars >= charsMax) return { next: previous, rows }
    }
    return { next: rows < rowsMax ? null : previous, rows }
  }

  /** Idempotent. */
  close(): void {
    this.#db.close()
  }

  #verified([key, value, sum]: StoredRow): TableRow {
    if (sum === rowChecksum(key, value)) return { key, value }
    const found = `row ${JSON.stringify(key)} does not match its checksum`
    throw this.#damage(found, this.#standsTwice(key) ? { key, found } : {})
  }

  /**
   * Both places of the key, beside the value and in the index, say the same: the row is of that arc, and
   * what has rotted is its value or its checksum. A table of the format before has one place only.
   */
  #standsTwice(key: string): boolean {
    return this.#statements.ownKey.get(key)?.[0] === key
  }

  #damage(found: string, details: { key?: string; found?: string } = {}): AppError {
    return new AppError('state_damaged', `state database ${this.#path}: ${found}. ${REBUILD}`, {
      details: { path: this.#path, ...details },
    })
  }

  #doing<T>(doing: string, run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw stateFailure(doing, this.#path, error)
    }
  }
}

/**
 * Above this size the next commit checkpoints first. Smaller: more syncs. Larger: a longer pause of
 * the ledger thread when it comes, and more disk.
 */
const WAL_BYTES_MAX = 64 * 1024 * 1024

/** SQLite's own default: a small row costs up to a page of the write-ahead log. */
const PAGE_BYTES = 4096

type StoredRow = [key: string, value: string, sum: number]

interface CheckpointRow {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

interface Statements {
  readonly get: Database.Statement<[string], StoredRow>
  readonly scan: Database.Statement<[string, string, number], StoredRow>
  readonly scanReverse: Database.Statement<[string, string, number], StoredRow>
  /** With the key that stands beside the value; all others are read from the index. */
  readonly after: Database.Statement<[string, number], [ownKey: string, ...StoredRow]>
  readonly ownKey: Database.Statement<[string], [ownKey: string]>
  readonly clear: Database.Statement<[string, string]>
  readonly commit: (changes: readonly TableChange[]) => void
}

function prepare({ db, isIndexed }: StateDatabase): Statements {
  const columns = 'SELECT key, value, sum FROM rows'
  const upsert = db.prepare(
    'INSERT INTO rows (key, value, sum) VALUES (?, ?, ?) ' +
      'ON CONFLICT (key) DO UPDATE SET value = excluded.value, sum = excluded.sum',
  )
  const remove = db.prepare('DELETE FROM rows WHERE key = ?')
  const commit = db.transaction((changes: readonly TableChange[]) => {
    for (const { key, value } of changes) {
      if (!isLatin1(key)) broken(`not a table key: ${JSON.stringify(key)}`)
      if (value === undefined) remove.run(key)
      else upsert.run(key, value, rowChecksum(key, value))
    }
  })
  const inRange = 'WHERE key >= ? AND key < ? ORDER BY key'
  return {
    get: db.prepare<[string], StoredRow>(`${columns} WHERE key = ?`).raw(),
    scan: db.prepare<[string, string, number], StoredRow>(`${columns} ${inRange} LIMIT ?`).raw(),
    scanReverse: db
      .prepare<[string, string, number], StoredRow>(`${columns} ${inRange} DESC LIMIT ?`)
      .raw(),
    after: db
      .prepare<[string, number], [string, ...StoredRow]>(
        isIndexed
          ? 'SELECT own.key, found.key, own.value, own.sum FROM rows AS found ' +
              'CROSS JOIN rows AS own ON own.id = found.id ' +
              'WHERE found.key > ? ORDER BY found.key LIMIT ?'
          : 'SELECT key, key, value, sum FROM rows WHERE key > ? ORDER BY key LIMIT ?',
      )
      .raw(),
    ownKey: db
      .prepare<[string], [string]>(
        isIndexed
          ? 'SELECT own.key FROM rows AS found CROSS JOIN rows AS own ON own.id = found.id ' +
              'WHERE found.key = ?'
          : 'SELECT NULL WHERE ? IS NULL',
      )
      .raw(),
    clear: db.prepare<[string, string]>('DELETE FROM rows WHERE key >= ? AND key < ?'),
    commit: (changes) => commit.immediate(changes),
  }
}
