import { broken } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'

/**
 * Record versions and fences: the arc's generation (13 bits) and a log index (40 bits) in one safe
 * integer that compares as the pair does. A generation is raised by unsafe recovery, after which
 * indexes may repeat.
 */
const INDEX_BITS_VALUE = 0x100_0000_0000
const GENERATION_MAX = 0x1fff

/** Arcs have one generation until unsafe recovery exists. */
export const FIRST_GENERATION = 1

export function packVersion(generation: number, index: LogIndex): number {
  if (generation <= 0 || generation > GENERATION_MAX) {
    broken(`generation ${generation} has no 13 bits`)
  }
  if (index < 0 || index >= INDEX_BITS_VALUE) broken(`log index ${index} has no 40 bits`)
  return generation * INDEX_BITS_VALUE + index
}
