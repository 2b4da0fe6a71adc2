import type { SimFiles } from './disk.js'

/**
 * Whether a log that keeps `retainBytes` for their own sake may have given up entries by now. Told
 * from its files alone: as long as it fits into what it keeps, it reaches back to its first entry.
 */
export function mayHaveForgotten(
  files: SimFiles,
  keeps: { readonly segmentBytes: number; readonly retainBytes: number },
): boolean {
  const newest = files.durablePaths('log').findLast((path) => isUsed(files, path))
  const used = Number(/\d+$/.exec(newest ?? '')?.[0] ?? 0)
  return used > 1 && used * keeps.segmentBytes > keeps.retainBytes
}

/** The spare segment is there beforehand, full of zeroes. */
function isUsed(files: SimFiles, path: string): boolean {
  return files.durable(path).bytes.some((byte) => byte !== 0)
}
