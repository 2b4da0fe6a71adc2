import assert from 'node:assert/strict'
import { test } from 'node:test'
import { occurrences, REPOSITORY, sourceFiles, treeOf, withoutComments } from './tree.js'

test('the rules look at our sources, documents and settings, and at nothing built or installed', () => {
  for (const path of ['core/src/index.ts', 'test/tidy/tree.test.ts', 'README.md', '.npmrc']) {
    assert(REPOSITORY.paths.includes(path), `${path} is looked at`)
  }
  const foreign = REPOSITORY.paths.filter((path) => /(^|\/)(node_modules|dist|\.git)\//.test(path))
  assert.deepEqual(foreign, [])
  assert.deepEqual(sourceFiles(treeOf({ 'a.ts': '', 'b.md': '', 'c.mjs': '' })), ['a.ts'])
})

test('comments are taken out; strings and the numbers of lines stay', () => {
  const table: readonly [string, string][] = [
    ['a // b', 'a '],
    ['// b\na', '\na'],
    ['a /* b\n * c */ d', 'a \n d'],
    ["'http://x' // y", "'http://x' "],
    ["'//x'", "'//x'"],
  ]
  for (const [text, code] of table) assert.equal(withoutComments(text), code)
})

test('a finding tells file, line and text', () => {
  assert.deepEqual(occurrences('a.ts', 'one\n  two\none', /two/), ['a.ts:2: two'])
})

test('a made-up tree has its files, the folders above them, and nothing else', () => {
  const tree = treeOf({ 'a/b/c.ts': '' })
  for (const path of ['a', 'a/', 'a/b', 'a/b/c.ts']) assert(tree.has(path), path)
  for (const path of ['b', 'a/b/c', 'a/b/c.ts/d']) assert(!tree.has(path), path)
})
