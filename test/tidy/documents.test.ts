import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { allFiles, exists, read } from './repository.js'

const TOP_FOLDERS = ['core', 'workers', 'jobs', 'dashboard', 'deploy', 'test']
const TOP_FILES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE']

const documents = allFiles().filter((path) => path.endsWith('.md'))

/** Paths in backticks that begin with one of our folders, and targets of relative links. */
function namedPaths(document: string): string[] {
  const text = read(document).replace(/^```[\s\S]*?^```/gm, '')
  const quoted = [...text.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => TOP_FOLDERS.includes(path.split('/')[0] ?? ''))
  const linked = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map((match) =>
    posix.join(posix.dirname(document), match[1] ?? ''),
  )
  return [...quoted, ...linked]
}

test('documents name only paths that exist', () => {
  const dead = documents.flatMap((document) =>
    namedPaths(document)
      .filter((path) => !exists(path) && !path.split('/').includes('dist'))
      .map((path) => `${document} names ${path}`),
  )
  assert.deepEqual(
    dead,
    [],
    `Remedy: correct the name, or take the sentence out.\n${dead.join('\n')}`,
  )
})

test('the usual files and a README in each top-level folder are there', () => {
  const missing = [...TOP_FILES, ...TOP_FOLDERS.map((folder) => `${folder}/README.md`)].filter(
    (path) => !exists(path),
  )
  assert.deepEqual(missing, [], 'Remedy: write them; each says honestly what stands there.')
})

test('the README stays within 150 lines, ARCHITECTURE.md within 400', () => {
  for (const [path, most] of Object.entries({ 'README.md': 150, 'ARCHITECTURE.md': 400 })) {
    const lines = read(path).trimEnd().split('\n').length
    assert(
      lines <= most,
      `Remedy: move detail beside what it is about; ${path} has ${lines} lines.`,
    )
  }
})

test('the README gives the two lines that people type', () => {
  for (const line of ['npm ci && npm run demo', 'npm ci && npm test']) {
    assert(read('README.md').includes(line), `Remedy: the README must show \`${line}\`.`)
  }
})
