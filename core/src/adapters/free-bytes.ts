import { statfsSync } from 'node:fs'

/**
 * What this process may still write on the disk of an existing path; without bound where the file
 * system does not say (or the path is gone).
 */
export function freeBytes(path: string): number {
  try {
    const { bsize, blocks, bfree, bavail } = statfsSync(path)
    if (blocks > 0) return bsize * (process.getuid?.() === 0 ? bfree : bavail)
  } catch {
    // Nothing depends on it: whoever writes meets the full disk itself.
  }
  return Number.POSITIVE_INFINITY
}
