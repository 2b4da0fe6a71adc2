import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AppError } from '../base/app-error.js'

/**
 * Keeps a second process out of a data folder. Node has no `flock`, and a file with a process number
 * in it lies after a kill; so a small SQLite file is held in exclusive mode, whose lock the system
 * gives up when the process ends, however it ends.
 *
 * Never open `lock.db` by other means in this process: closing any descriptor of a file drops the
 * process's POSIX locks on it.
 */
export class DirectoryLock {
  readonly #database: Database.Database

  private constructor(database: Database.Database) {
    this.#database = database
  }

  /**
   * @param folder the data folder; must exist
   * @throws AppError data_folder_in_use when another process holds it; data_folder_unusable
   */
  static take(folder: string): DirectoryLock {
    const database = new Database(join(folder, 'lock.db'), { timeout: 0 })
    try {
      database.pragma('locking_mode = EXCLUSIVE')
      database.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS held (one INTEGER); COMMIT')
      return new DirectoryLock(database)
    } catch (error) {
      database.close()
      throw isBusy(error) ? inUse(folder, error) : unusable(folder, error)
    }
  }

  release(): void {
    this.#database.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function inUse(folder: string, cause: unknown): AppError {
  return new AppError(
    'data_folder_in_use',
    `another Gyre process uses the data folder ${folder}: stop that process, or give this one a ` +
      'folder of its own with --data',
    { cause },
  )
}

function unusable(folder: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AppError(
    'data_folder_unusable',
    `cannot lock the data folder ${folder} (${reason}): check that it is on a local, writable disk; ` +
      'if "lock.db" in it is damaged, delete that file while no Gyre process runs',
    { cause },
  )
}
