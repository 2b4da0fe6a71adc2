import { after } from 'node:test'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'

/** What all tests of a file share is its own; to be called when the file is loaded. */
export function ownerOfThisFile(): Owner {
  const cleanups: (() => unknown)[] = []
  after(async () => {
    for (const cleanup of cleanups) await cleanup()
  })
  return { after: (cleanup) => cleanups.push(cleanup) }
}
