import { AppError } from '../../base/app-error.js'
import { FileError } from '../../ports/files.js'

export function unreadable(what: string): AppError {
  return new AppError(
    'log_unreadable',
    `the log cannot be read: ${what}. The disk returned other bytes than were written: check the ` +
      'disk, and restart the node, which then says which arcs are damaged',
  )
}

/** A checksum that does not hold, or a disk that refuses to read. */
export function isUnreadable(error: unknown): error is Error {
  if (error instanceof FileError) return error.code === 'EIO'
  return error instanceof AppError && error.code === 'log_unreadable'
}
