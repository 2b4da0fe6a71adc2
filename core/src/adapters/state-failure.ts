import { AppError } from '../base/app-error.js'

/**
 * Turns what SQLite throws into the failures that the node knows: `state_full` (free space, then the
 * same commit may be tried again), `state_damaged` (the file cannot be trusted any more: rebuild it
 * from the log), `state_failed` (the disk or the file system fails: the node must end, since a write
 * whose sync failed is never tried again).
 */
export function stateFailure(doing: string, path: string, error: unknown): Error {
  const code = sqliteCode(error)
  // Not SQLite's: an assertion or an AppError of ours.
  if (code === undefined) return error instanceof Error ? error : new Error(String(error))
  const { kind, remedy } = judge(code)
  const found = error instanceof Error ? error.message : String(error)
  return new AppError(kind, `${doing} ${path}: ${found} (${code}). ${remedy}`, {
    details: { path, sqlite: code },
    cause: error,
  })
}

/** There is room for the write, but then none for the checkpoint that it needs. */
export function stateFull(path: string): AppError {
  const message = `cannot write to ${path}: too little space is free to keep it. ${FREE_SPACE}`
  return new AppError('state_full', message, { details: { path } })
}

const FREE_SPACE = 'Free space on this disk; the node then goes on by itself.'

/** True when the disk was full: nothing was changed. */
export function isFull(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_FULL'
}

function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code } = error
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}

function judge(code: string): { readonly kind: string; readonly remedy: string } {
  if (code === 'SQLITE_FULL') {
    return {
      kind: 'state_full',
      remedy: FREE_SPACE,
    }
  }
  if (DAMAGE.some((prefix) => code.startsWith(prefix)))
    return { kind: 'state_damaged', remedy: REBUILD }
  if (READ_REFUSED.includes(code)) {
    return {
      kind: 'state_failed',
      remedy:
        'The disk refuses to read it; nothing was changed. Check the disk, then start the node again. ' +
        'Where the disk stays as it is, move the folder "state" away: the node rebuilds it from the ' +
        'log where that reaches back far enough, and else says what is lost.',
    }
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return {
      kind: 'state_failed',
      remedy: 'Another program has this file open: close it and start the node again.',
    }
  }
  return {
    kind: 'state_failed',
    remedy: 'Check the disk and the rights on the data folder, then start the node again.',
  }
}

/** What to do about a database that is not what was written. */
export const REBUILD =
  'The state is rebuilt from the log where the log reaches back far enough; keep the file for inspection.'

const DAMAGE = ['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_FORMAT', 'SQLITE_IOERR_SHORT_READ']

/**
 * What SQLite makes of EIO (seekAndRead, unixRead in os_unix.c). Nothing is known of what stands there:
 * the disk may read it again, so that a state which may be the only copy is not set aside for it.
 */
const READ_REFUSED = ['SQLITE_IOERR_CORRUPTFS', 'SQLITE_IOERR_READ']
