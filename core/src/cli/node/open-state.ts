import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolderDurably } from '../../adapters/durable-folder.js'
import { SqliteTable } from '../../adapters/sqlite-table.js'
import { setStateDatabaseAside } from '../../adapters/state-database.js'
import { AppError } from '../../base/app-error.js'
import type { LedgerSetup } from './thread-setup.js'

const FOLDER = 'state'
const DAMAGE_MARK = 'damaged'

/**
 * Opens the state store of a data folder. One that is damaged, or was found damaged by an earlier
 * life, is set aside and a new one is opened: it is rebuilt from the log where the log reaches back;
 * where it does not, the engine notices and says what is lost (protocol/node/log-reach.ts). Where the
 * log is damaged as well, nothing is set aside.
 *
 * @throws AppError state_damaged
 */
export function openState(
  { dataFolder, mayRebuild }: Pick<LedgerSetup, 'dataFolder' | 'mayRebuild'>,
  warn: (message: string) => void,
): SqliteTable {
  const folder = join(dataFolder, FOLDER)
  makeFolderDurably(folder)
  const mark = join(folder, DAMAGE_MARK)
  const setAside = (why: string): SqliteTable => {
    if (!mayRebuild) throw bothDamaged(why)
    return rebuild(folder, why, warn)
  }
  if (existsSync(mark)) return setAside('an earlier run found it damaged')
  try {
    return SqliteTable.open(folder)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'state_damaged') throw error
    return setAside(error.message)
  }
}

/** Leaves a note for the next start: what was read from the state store was not what was written. */
export function markStateDamaged(dataFolder: string, message: string): void {
  writeFileSync(join(dataFolder, FOLDER, DAMAGE_MARK), `${message}\n`)
}

function bothDamaged(why: string): AppError {
  return new AppError(
    'state_damaged',
    `the state store cannot be used (${why}), and the log is damaged, so that it cannot be rebuilt ` +
      'from it; nothing was changed. Restore the data folder from a backup; `gyre verify` tells more',
  )
}

function rebuild(folder: string, why: string, warn: (message: string) => void): SqliteTable {
  warn(`the state store is set aside and rebuilt from the log: ${why}`)
  setStateDatabaseAside(folder)
  const table = SqliteTable.open(folder)
  rmSync(join(folder, DAMAGE_MARK), { force: true })
  return table
}
