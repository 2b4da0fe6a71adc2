/**
 * A TMPDIR for the tests alone, so that what one of them leaves behind is seen, and gone afterwards.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The cache of tsx, which it keeps on purpose: it loads plugins in TypeScript. */
const KEPT = /^tsx-/

/** From here on each process that is started has an empty folder of this run as its TMPDIR. */
export function beginOwnTmpdir() {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-tests-'))
  process.env['TMPDIR'] = folder
  return folder
}

/**
 * Removes the folder.
 *
 * @returns names of what stood in it; a test's temporary folder is named after its file
 */
export function endOwnTmpdir(folder) {
  const left = readdirSync(folder).filter((name) => !KEPT.test(name))
  rmSync(folder, { recursive: true })
  return left
}
