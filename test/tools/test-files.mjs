/**
 * Finds the compiled tests. Sources decide what is a test: a compiled file whose source is gone is
 * never run, and a source that was not compiled is an error, because a test that silently does not
 * run proves nothing.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Where each workspace keeps its sources and what the compiler makes of them. */
const PLACES = [
  { sources: 'jobs/src', compiled: 'jobs/dist' },
  { sources: 'workers/src', compiled: 'workers/dist' },
  { sources: 'core/src', compiled: 'core/dist' },
  { sources: 'dashboard/src', compiled: 'dashboard/dist' },
  { sources: 'test', compiled: 'test/dist' },
]

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'fixtures'])

/**
 * All tests of the repository.
 *
 * @param root  folder of the repository
 * @returns tests in order of their sources; `missing` are sources without a compiled file
 */
export function findTests(root) {
  const tests = PLACES.flatMap((place) => testsOf(root, place))
  return {
    tests: tests.filter((test) => existsSync(test.compiled)),
    missing: tests.filter((test) => !existsSync(test.compiled)).map((test) => test.source),
  }
}

function testsOf(root, place) {
  const folder = join(root, place.sources)
  return sourcesIn(folder).map((source) => ({
    source: relative(root, source).split(sep).join('/'),
    compiled: join(root, place.compiled, relative(folder, source).replace(/\.ts$/, '.js')),
  }))
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : sourcesIn(path)
      return entry.name.endsWith('.test.ts') ? [path] : []
    })
}
