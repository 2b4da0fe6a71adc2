import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allFiles, isTest, occurrences, read, sourceFiles, withoutComments } from './repository.js'

/** The rules name what they forbid, so these files are not looked at by themselves. */
const isRule = (path: string): boolean => path.startsWith('test/tidy/')

function assertNone(found: readonly string[], remedy: string): void {
  assert.deepEqual(found, [], `Remedy: ${remedy}\n${found.join('\n')}`)
}

const PURE = ['core/src/base/', 'core/src/protocol/', 'jobs/src/spec/']

test('pure code raises to no power, since engines round ** differently', () => {
  const pure = sourceFiles().filter((path) => PURE.some((folder) => path.startsWith(folder)))
  const found = pure
    .filter((path) => !isTest(path))
    .flatMap((path) => occurrences(path, withoutComments(read(path)), /\*\*/))
  assertNone(found, 'multiply integers, or write the number out.')
})

test('no test is skipped or run alone', () => {
  const pattern =
    /\b(test|it|describe|suite)\.(skip|only|todo)\(|\{\s*(skip|only|todo):\s*(true|['"`])|\bt\.skip\(/
  const tests = sourceFiles().filter((path) => isTest(path) && !isRule(path))
  assertNone(
    tests.flatMap((path) => occurrences(path, withoutComments(read(path)), pattern)),
    'make the test pass or delete it; what needs root or packages goes to test/system.',
  )
})

test('no file holds a path of one machine or the address of a registry', () => {
  // A made-up home, /home/me, is no machine's.
  const pattern =
    /(^|[\s"'`(=])\/(work|farm|root|(home|Users)\/(?!me\/))|registry\.(npmjs|yarnpkg)|npmmirror|deb\.debian/
  const texts = allFiles().filter((path) => !isRule(path) && !/\.(png|ico|db)$/.test(path))
  assertNone(
    texts.flatMap((path) => occurrences(path, read(path), pattern)),
    'use paths relative to the repository, a temporary folder, or an option.',
  )
})

test('nothing is left for later in a comment', () => {
  const pattern = /\bFIXME\b|\bXXX\b|\bHACK\b|\bTODO\b(?!\(#\d+\))|\bfor now\b|\bPhase \d/
  const texts = allFiles().filter((path) => !isRule(path) && /\.(ts|mjs|js|md|sh)$/.test(path))
  assertNone(
    texts.flatMap((path) => occurrences(path, read(path), pattern)),
    'finish it, or open an issue and say in plain words what is not there.',
  )
})

test('a lint rule is switched off only with a reason', () => {
  const pattern = /(oxlint|eslint)-disable(?!.*--\s*\S)|@ts-(ignore|nocheck)|@ts-expect-error\s*$/
  assertNone(
    sourceFiles()
      .filter((path) => !isRule(path))
      .flatMap((path) => occurrences(path, read(path), pattern)),
    'write `-- reason` behind the disabled rule.',
  )
})

test('files are named in kebab-case and never after a drawer', () => {
  const drawers = /(^|\/)(utils?|helpers?|common|misc|manager|data|info|interfaces)\.ts$/
  const found = sourceFiles().filter(
    (path) =>
      !/^[a-z0-9-]+(\.[a-z]+)*\.ts$/.test(path.split('/').at(-1) ?? '') || drawers.test(path),
  )
  assertNone(found, 'name the file for the one subject it holds.')
})
