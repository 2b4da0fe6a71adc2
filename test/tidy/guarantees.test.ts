import { testRule } from './rule.js'

const PAGE = 'core/docs/guarantees.md'

testRule({
  claim: 'every test that the page of guarantees names is there',
  remedy: `correct the name in ${PAGE}; a guarantee without a test is none, so take that out.`,
  findings: (tree) => {
    const page = tree.read(PAGE)
    const rows = page
      .split('\n')
      .filter((line) => /^\| [^-|]/.test(line) && !line.startsWith('| what |'))
    const unproved = rows.filter((row) => !/`[\w./-]+\.test\.ts` "/.test(row))
    const named = [...page.matchAll(/`([\w./-]+\.test\.ts)` "([^"]+)"/g)]
    const gone = named.filter(([, path = '', name = '']) => {
      return !tree.has(path) || !tree.read(path).includes(`test('${name}'`)
    })
    return [...unproved, ...gone.map(([, path, name]) => `${path} has no test "${name}"`)]
  },
  sample: {
    [PAGE]: `| what | proof |
|---|---|
| a | \`test/a.test.ts\` "a holds" and \`test/a.test.ts\` "b holds" |
| c | \`test/gone.test.ts\` "c holds" |
| d | believe me |`,
    'test/a.test.ts': "test('a holds', () => {})",
  },
  found: [
    '| d | believe me |',
    'test/a.test.ts has no test "b holds"',
    'test/gone.test.ts has no test "c holds"',
  ],
})
