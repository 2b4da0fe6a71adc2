import { AppError } from '../../base/app-error.js'
import { FileError } from '../../ports/files.js'

export function unreadable(what: string): AppError {
  return new AppError(
    'log_unreadable',
    `the log cannot be read: ${what}. The disk returned other bytes than were written: check the ` +
      'disk, and restart the node, which then says which arcs are damaged',
  )
}

/** Nothing is known of what a disk refuses to read: nothing is repaired then. */
export function orRefused<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FileError && isUnreadable(error)) throw refusedToRead(error)
    throw error
  }
}

function refusedToRead({ code, message }: FileError): AppError {
  return new AppError(
    'log_unreadable',
    `the log cannot be read (${code}): ${message}; nothing was changed. Check the disk and copy the ` +
      'data folder to another one as far as it can be read, then start the node there',
  )
}

/** A checksum that does not hold, or a disk that refuses to read. */
export function isUnreadable(error: unknown): error is Error {
  if (error instanceof FileError) return error.code === 'EIO'
  return error instanceof AppError && error.code === 'log_unreadable'
}
