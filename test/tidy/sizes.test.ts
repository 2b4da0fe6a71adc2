import { testRule } from './rule.js'
import { isTest, sourceFiles, type Tree, withoutComments } from './tree.js'

/** Code lines, comments and blanks not counted, above which a file must say why it is so long. */
const FILE_LINES_MAX = 400
/** The same for tests, whose tables grow by rows and not by branches. */
const TEST_LINES_MAX = 600

/** How a comment opens that names the one subject of a long file, and why it is not split. */
const REASON = /^ *(\*|\/\/) Long on purpose: \S/m

function codeLines(tree: Tree, path: string): number {
  return withoutComments(tree.read(path))
    .split('\n')
    .filter((line) => line.trim() !== '').length
}

function isLong(tree: Tree, path: string): boolean {
  return codeLines(tree, path) > (isTest(path) ? TEST_LINES_MAX : FILE_LINES_MAX)
}

function hasReason(tree: Tree, path: string): boolean {
  return REASON.test(tree.read(path))
}

const ONE_LINE = 'x\n'
const TOLD = '/**\n * Long on purpose: one machine.\n */\n'

testRule({
  claim: 'a file of more than 400 lines of code, of a test 600, says why',
  remedy: `ask what else lives in the file and move it out; if it has one subject, say so in a comment
that opens with "Long on purpose: ".`,
  findings: (tree) =>
    sourceFiles(tree)
      .filter((path) => isLong(tree, path) && !hasReason(tree, path))
      .map((path) => `${path}: ${codeLines(tree, path)}`),
  sample: {
    'a/long.ts': ONE_LINE.repeat(401),
    'a/told.ts': TOLD + ONE_LINE.repeat(401),
    'a/comments.ts': `${'x\n\n// why\n'.repeat(200)}/*\n${'why\n'.repeat(300)}*/${'x\n'.repeat(200)}`,
    'a/long.test.ts': ONE_LINE.repeat(601),
    'test/table.ts': ONE_LINE.repeat(600),
  },
  found: ['a/long.ts: 401', 'a/long.test.ts: 601'],
})

testRule({
  claim: 'only a file that is long says why it is',
  remedy: 'take the comment out.',
  findings: (tree) =>
    sourceFiles(tree).filter((path) => hasReason(tree, path) && !isLong(tree, path)),
  sample: {
    'a/told.ts': TOLD + ONE_LINE.repeat(401),
    'a/stale.ts': TOLD + ONE_LINE.repeat(400),
  },
  found: ['a/stale.ts'],
})
