import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTest, read, sourceFiles, withoutComments } from './repository.js'

/** Code lines, comments and blanks not counted, above which a file must say why it is so long. */
const FILE_LINES_MAX = 400
/** The same for tests, whose tables grow by rows and not by branches. */
const TEST_LINES_MAX = 600

/** Files with one subject that is longer than that: path → the subject and why it is not split. */
const LONG_FILES: Readonly<Record<string, string>> = {}

function codeLines(path: string): number {
  return withoutComments(read(path))
    .split('\n')
    .filter((line) => line.trim() !== '').length
}

function isLong(path: string): boolean {
  return codeLines(path) > (isTest(path) ? TEST_LINES_MAX : FILE_LINES_MAX)
}

test('a file of more than 400 lines of code has a stated reason', () => {
  const long = sourceFiles()
    .filter((path) => isLong(path) && LONG_FILES[path] === undefined)
    .map((path) => `${path}: ${codeLines(path)}`)
  assert.deepEqual(
    long,
    [],
    `Remedy: ask what else lives in the file and move it out; if it has one subject, name it in
LONG_FILES of test/tidy/sizes.test.ts.\n${long.join('\n')}`,
  )
})

test('the list of long files names only files that are long', () => {
  const stale = Object.keys(LONG_FILES).filter(
    (path) => !sourceFiles().includes(path) || !isLong(path),
  )
  assert.deepEqual(stale, [], 'Remedy: remove them from LONG_FILES.')
})
