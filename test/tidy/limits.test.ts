import { testRule } from './rule.js'
import { sourceFiles, type Tree } from './tree.js'

const UNIT_IN_NAME =
  /_(MS|SECONDS|BYTES|MB|CHARS|COUNT|ENTRIES|COMMANDS|EVENTS|ROWS|ITEMS|JOBS|STEPS|LENGTH|DEPTH)(_|$)/
const UNIT_IN_COMMENT =
  /\b(ms|milliseconds?|seconds?|bytes|MiB|KiB|characters|entries|commands|attempts?|items|steps|rows|jobs|hashes|keys|services|connections|requests|files|exports|levels|slots|words|hits|concurrency|share|growth|priority|beats|timers|messages|reasons|batches|arcs|segments|records)\b/i

interface Limit {
  readonly where: string
  readonly name: string
  /** The comment above it, or above the block of lines that it stands in. */
  readonly comment: string
}

function limitsOf(path: string, text: string): Limit[] {
  const blocks = text.split(/\n\s*\n/)
  return blocks.flatMap((block) => {
    const parts = block.split(/(?<=\*\/)/)
    return parts.flatMap((part, index) =>
      [...part.matchAll(/^export const (\w+) =/gm)].map((match) => ({
        where: path,
        name: match[1] ?? '',
        comment: parts[index - 1] ?? '',
      })),
    )
  })
}

function allLimits(tree: Tree): Limit[] {
  return sourceFiles(tree)
    .filter((path) => path.endsWith('/limits.ts'))
    .flatMap((path) => limitsOf(path, tree.read(path)))
}

testRule({
  claim: 'each limit has a comment and a unit',
  remedy: 'say above it what it counts, in which unit, and what happens there.',
  findings: (tree) =>
    allLimits(tree)
      .filter(({ name, comment }) => {
        return !comment.includes('*') || !(UNIT_IN_NAME.test(name) || UNIT_IN_COMMENT.test(comment))
      })
      .map(({ where, name }) => `${where}: ${name}`),
  sample: {
    'a/limits.ts': `/** How long. */
export const WAIT_MS_MAX = 1
/** Attempts of one task, first and second time. */
export const FIRST_MAX = 2
export const SECOND_MAX = 2

export const UNTOLD_MS_MAX = 3

/** How much of it. */
export const OF_WHAT_MAX = 4`,
    'a/other.ts': 'export const UNTOLD_MAX = 5',
  },
  found: ['a/limits.ts: UNTOLD_MS_MAX', 'a/limits.ts: OF_WHAT_MAX'],
})

testRule({
  claim: 'limits stand in files named limits.ts, where the rule above looks for them',
  remedy: 'put them there; it found too few to have looked at the right files.',
  findings: (tree) => {
    const { length } = allLimits(tree)
    return length > 20 ? [] : [`${length} limits`]
  },
  sample: { 'a/limits.ts': '/** Bytes. */\nexport const A_MAX = 1' },
  found: ['1 limits'],
})
