import { testRule } from './rule.js'
import { isTest, occurrences, sourceFiles, type Tree, withoutComments } from './tree.js'

/** The rules name what they forbid, so these files are not looked at by themselves. */
const isRule = (path: string): boolean => path.startsWith('test/tidy/')

/** Where a pattern occurs in the texts of some files. */
function inText(tree: Tree, paths: readonly string[], pattern: RegExp): string[] {
  return paths
    .filter((path) => !isRule(path))
    .flatMap((path) => occurrences(path, tree.read(path), pattern))
}

/** The same in their code only. */
function inCode(tree: Tree, paths: readonly string[], pattern: RegExp): string[] {
  return paths
    .filter((path) => !isRule(path))
    .flatMap((path) => occurrences(path, withoutComments(tree.read(path)), pattern))
}

const PURE = ['core/src/base/', 'core/src/protocol/', 'jobs/src/spec/']

testRule({
  claim: 'pure code raises to no power, since engines round ** differently',
  remedy: 'multiply integers, or write the number out.',
  findings: (tree) => {
    const pure = sourceFiles(tree).filter((path) => PURE.some((folder) => path.startsWith(folder)))
    return inCode(
      tree,
      pure.filter((path) => !isTest(path)),
      /\*\*/,
    )
  },
  sample: {
    'core/src/protocol/a.ts': '/** Why. */\nconst a = 2 ** b',
    'core/src/protocol/a.test.ts': 'const a = 2 ** b',
    'core/src/api/b.ts': 'const a = 2 ** b',
    'jobs/src/spec/c.ts': 'a **= 2',
  },
  found: ['core/src/protocol/a.ts:2: const a = 2 ** b', 'jobs/src/spec/c.ts:1: a **= 2'],
})

testRule({
  claim: 'no test is skipped or run alone',
  remedy: 'make the test pass or delete it; what needs root or packages goes to test/system.',
  findings: (tree) =>
    inCode(
      tree,
      sourceFiles(tree).filter(isTest),
      /\b(test|it|describe|suite|t)\.(skip|only|todo)\(|\b(skip|only|todo):\s*(true|['"`])/,
    ),
  sample: {
    'a/b.test.ts': `test.skip('one', () => {})
test('two', { timeout: 5, only: true }, () => {})
test('three', { skip: 'why' }, (t) => {})
test('four', (t) => t.skip())
// test.only('five')
test('six', () => list.skip(3))`,
    'a/b.ts': 'it.skip(1)',
  },
  found: [
    "a/b.test.ts:1: test.skip('one', () => {})",
    "a/b.test.ts:2: test('two', { timeout: 5, only: true }, () => {})",
    "a/b.test.ts:3: test('three', { skip: 'why' }, (t) => {})",
    "a/b.test.ts:4: test('four', (t) => t.skip())",
  ],
})

testRule({
  claim: 'no file holds a path of one machine or the address of a registry',
  remedy: 'use paths relative to the repository, a temporary folder, or an option.',
  findings: (tree) =>
    inText(
      tree,
      tree.paths.filter((path) => !/\.(png|ico|db)$/.test(path)),
      // A made-up home, /home/me, is no machine's.
      /(^|[\s"'`(=])\/((work|farm|root)\b|(home|Users)\/(?!me\/))|registry\.(npmjs|yarnpkg)|npmmirror|deb\.debian/,
    ),
  sample: {
    'a.md': 'see /home/me/gyre\nsee /home/ann/gyre\nthe /workers of it',
    'b.sh': 'cd "/root/x"\nnpm install --registry https://registry.npmjs.org\na/root/x',
  },
  found: [
    'a.md:2: see /home/ann/gyre',
    'b.sh:1: cd "/root/x"',
    'b.sh:2: npm install --registry https://registry.npmjs.org',
  ],
})

testRule({
  claim: 'nothing is left for later in a comment',
  remedy: 'finish it, or open an issue and say in plain words what is not there.',
  findings: (tree) =>
    inText(
      tree,
      tree.paths.filter((path) => /\.(ts|mjs|js|md|sh)$/.test(path)),
      /\bFIXME\b|\bXXX\b|\bHACK\b|\bTODO\b(?!\(#\d+\))|\bfor now\b|\bPhase \d/,
    ),
  sample: {
    'a.ts': '// TODO: the rest\n// TODO(#12): the rest\n/* FIXME */',
    'b.md': 'This is enough for now.\nThat was for nowhere.',
  },
  found: ['a.ts:1: // TODO: the rest', 'a.ts:3: /* FIXME */', 'b.md:1: This is enough for now.'],
})

testRule({
  claim: 'a lint rule is switched off only with a reason',
  remedy: 'write `-- reason` behind the disabled rule.',
  findings: (tree) =>
    inText(
      tree,
      tree.paths.filter((path) => /\.(ts|mjs|js)$/.test(path)),
      /(oxlint|eslint)-disable(?!.*--\s*\S)|@ts-(ignore|nocheck)|@ts-expect-error\s*$/,
    ),
  sample: {
    'a.ts': `// oxlint-disable-next-line no-var
// oxlint-disable-next-line no-var -- it is hoisted on purpose
// @ts-ignore because
// @ts-expect-error
// @ts-expect-error: a string is what is tried`,
    'b.mjs': '/* eslint-disable */',
  },
  found: [
    'a.ts:1: // oxlint-disable-next-line no-var',
    'a.ts:3: // @ts-ignore because',
    'a.ts:4: // @ts-expect-error',
    'b.mjs:1: /* eslint-disable */',
  ],
})

testRule({
  claim: 'files are named in kebab-case and never after a drawer',
  remedy: 'name the file for the one subject it holds.',
  findings: (tree) => {
    const drawers = /(^|\/)(utils?|helpers?|common|misc|manager|data|info|interfaces)\.ts$/
    const kebab = /^[a-z0-9-]+(\.[a-z]+)*\.ts$/
    return sourceFiles(tree).filter(
      (path) => !kebab.test(path.split('/').at(-1) ?? '') || drawers.test(path),
    )
  },
  sample: {
    'a/one-subject.ts': '',
    'a/one.model.test.ts': '',
    'a/data-folder.ts': '',
    'a/oneSubject.ts': '',
    'a/One.ts': '',
    'a/utils.ts': '',
    'helper.ts': '',
  },
  found: ['a/oneSubject.ts', 'a/One.ts', 'a/utils.ts', 'helper.ts'],
})
