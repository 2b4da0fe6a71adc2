import { FileError } from '../../ports/files.js'
import { DESCRIPTOR_RETRY_MS, SPACE_RETRY_MS } from './limits.js'

/** Something that is lacking now and may be there later. */
export interface Shortage {
  readonly what: string
  readonly remedy: string
  /** Until it is tried again. */
  readonly retryMs: number
}

const SPACE: Shortage = {
  what: 'the disk is full',
  remedy: 'free some space on the disk of the data folder, or raise the quota',
  retryMs: SPACE_RETRY_MS,
}

const DESCRIPTORS: Shortage = {
  what: 'too many files are open',
  remedy:
    'raise the limit of open files (ulimit -n), or end connections and plugins that hold many',
  retryMs: DESCRIPTOR_RETRY_MS,
}

/**
 * What an operation may lack now and have later, by code. It changed nothing, so that the log waits
 * where any other failure ends it. Never met by a write into a segment or its sync: both have all
 * they need before they begin.
 */
const SHORTAGES: ReadonlyMap<string, Shortage> = new Map([
  ['ENOSPC', SPACE],
  ['EDQUOT', SPACE],
  ['EMFILE', DESCRIPTORS],
  ['ENFILE', DESCRIPTORS],
])

/** @returns null: a failure that no waiting mends */
export function shortageOf(failure: FileError): Shortage | null {
  return SHORTAGES.get(failure.code) ?? null
}

/** For the operator: what is lacking, what waits for it, what to do. */
export function warningOf({ code }: FileError, { what, remedy }: Shortage): string {
  return (
    `the log cannot make its next segment: ${what} (${code}). New work is refused, and a start ` +
    `whose last segment has no room left waits. To go on, ${remedy}; the node notices by itself`
  )
}

/** Runs what can as well be done another time. @returns null where a shortage stopped it */
export function unlessShort<T>(run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof FileError && shortageOf(error) !== null) return null
    throw error
  }
}
