import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { atEnd, type Owner } from './at-end.js'

/**
 * A folder of a test's own, empty; it goes when the test ends, with all that is in it. Its name tells
 * the test's file, for whoever finds it left behind.
 */
export function temporaryFolder(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), `gyre-${basename(process.argv[1] ?? '', '.js')}-`))
  atEnd(owner, () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
