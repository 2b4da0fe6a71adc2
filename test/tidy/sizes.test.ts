import { testRule } from './rule.js'
import { isTest, sourceFiles, type Tree, withoutComments } from './tree.js'

/** Code lines, comments and blanks not counted, above which a file must say why it is so long. */
const FILE_LINES_MAX = 400
/** The same for tests, whose tables grow by rows and not by branches. */
const TEST_LINES_MAX = 600

/** Files with one subject that is longer than that: path → the subject and why it is not split. */
const LONG_FILES: Readonly<Record<string, string>> = {}

function codeLines(tree: Tree, path: string): number {
  return withoutComments(tree.read(path))
    .split('\n')
    .filter((line) => line.trim() !== '').length
}

function longFiles(tree: Tree): string[] {
  return sourceFiles(tree).filter(
    (path) => codeLines(tree, path) > (isTest(path) ? TEST_LINES_MAX : FILE_LINES_MAX),
  )
}

testRule({
  claim: 'a file of more than 400 lines of code, of a test 600, has a stated reason',
  remedy: `ask what else lives in the file and move it out; if it has one subject, name it in
LONG_FILES of test/tidy/sizes.test.ts.`,
  findings: (tree) =>
    longFiles(tree)
      .filter((path) => LONG_FILES[path] === undefined)
      .map((path) => `${path}: ${codeLines(tree, path)}`),
  sample: {
    'a/long.ts': 'x\n'.repeat(401),
    'a/told.ts': `${'x\n\n// why\n'.repeat(200)}/*\n${'why\n'.repeat(300)}*/${'x\n'.repeat(200)}`,
    'a/long.test.ts': 'x\n'.repeat(601),
    'test/table.ts': 'x\n'.repeat(600),
    'core/src/protocol/node/engine.ts': 'x\n'.repeat(500),
  },
  found: ['a/long.ts: 401', 'a/long.test.ts: 601'],
})

testRule({
  claim: 'the list of long files names only files that are long',
  remedy: 'remove them from LONG_FILES.',
  findings: (tree) => {
    const long = longFiles(tree)
    return Object.keys(LONG_FILES).filter((path) => !long.includes(path))
  },
  sample: { 'core/src/protocol/node/engine.ts': 'x\n'.repeat(400) },
  found: ['core/src/protocol/node/engine.ts'],
})
