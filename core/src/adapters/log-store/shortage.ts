import { FileError } from '../../ports/files.js'
import { DESCRIPTOR_RETRY_MS, SPACE_RETRY_MS } from './limits.js'

/**
 * What an operation may lack now and have later, by code: ms until it is tried again. It changed nothing, so that the log
 * waits where any other failure ends it. Never met by a write into a segment or its sync: both have
 * all they need before they begin.
 */
const SHORTAGES: ReadonlyMap<string, number> = new Map([
  ['ENOSPC', SPACE_RETRY_MS],
  ['EDQUOT', SPACE_RETRY_MS],
  ['EMFILE', DESCRIPTOR_RETRY_MS],
  ['ENFILE', DESCRIPTOR_RETRY_MS],
])

/** @returns milliseconds after which to try again; null: a failure that no waiting mends */
export function retryMsOf(failure: FileError): number | null {
  return SHORTAGES.get(failure.code) ?? null
}

/** Runs what can as well be done another time. @returns null where a shortage stopped it */
export function unlessShort<T>(run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof FileError && retryMsOf(error) !== null) return null
    throw error
  }
}
