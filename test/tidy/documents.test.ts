import { posix } from 'node:path'
import { testRule } from './rule.js'
import type { Tree } from './tree.js'

const TOP_FOLDERS = ['core', 'workers', 'jobs', 'dashboard', 'deploy', 'test']
const TOP_FILES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE']

/** Paths in backticks that begin with one of our folders, and targets of relative links. */
function namedPaths(document: string, text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '')
  const quoted = [...prose.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => TOP_FOLDERS.includes(path.split('/')[0] ?? ''))
  const linked = [...prose.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map((match) =>
    posix.join(posix.dirname(document), match[1] ?? ''),
  )
  return [...quoted, ...linked]
}

testRule({
  claim: 'documents name only paths that exist',
  remedy: 'correct the name, or take the sentence out.',
  findings: (tree) =>
    tree.paths
      .filter((path) => path.endsWith('.md'))
      .flatMap((document) =>
        namedPaths(document, tree.read(document))
          .filter((path) => !tree.has(path) && !path.split('/').includes('dist'))
          .map((path) => `${document} names ${path}`),
      ),
  sample: {
    'core/docs/a.md': `\`core/docs/a.md\`, \`core/docs/\`, \`core/dist/x.js\`, \`their/own.ts\`
\`core/gone.ts\` [here](a.md) [there](../b.md#part) [out](https://example.org/c.md)
\`\`\`sh
node \`core/in-a-block.js\`
\`\`\``,
  },
  found: ['core/docs/a.md names core/gone.ts', 'core/docs/a.md names core/b.md'],
})

testRule({
  claim: 'the usual files and a README in each top-level folder are there',
  remedy: 'write them; each says honestly what stands there.',
  findings: (tree) =>
    [...TOP_FILES, ...TOP_FOLDERS.map((folder) => `${folder}/README.md`)].filter(
      (path) => !tree.has(path),
    ),
  sample: Object.fromEntries(
    [...TOP_FILES.slice(1), ...TOP_FOLDERS.slice(1).map((folder) => `${folder}/README.md`)].map(
      (path) => [path, ''],
    ),
  ),
  found: ['README.md', 'core/README.md'],
})

const LINES_MAX = { 'README.md': 150, 'ARCHITECTURE.md': 400 }

testRule({
  claim: 'the README stays within 150 lines, ARCHITECTURE.md within 400',
  remedy: 'move detail beside what it is about.',
  findings: (tree) =>
    Object.entries(LINES_MAX)
      .map(([path, most]) => ({ path, most, lines: lineCount(tree, path) }))
      .filter(({ most, lines }) => lines > most)
      .map(({ path, lines }) => `${path} has ${lines} lines`),
  sample: { 'README.md': 'x\n'.repeat(151), 'ARCHITECTURE.md': 'x\n'.repeat(400) },
  found: ['README.md has 151 lines'],
})

function lineCount(tree: Tree, path: string): number {
  return tree.read(path).trimEnd().split('\n').length
}

testRule({
  claim: 'the README gives the two lines that people type',
  remedy: 'the README must show them as they are.',
  findings: (tree) =>
    ['npm ci && npm run demo', 'npm ci && npm test'].filter(
      (line) => !tree.read('README.md').includes(line),
    ),
  sample: { 'README.md': 'npm ci\nnpm ci && npm test' },
  found: ['npm ci && npm run demo'],
})
