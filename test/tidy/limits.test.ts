import assert from 'node:assert/strict'
import { test } from 'node:test'
import { read, sourceFiles } from './repository.js'

const UNIT_IN_NAME =
  /_(MS|SECONDS|BYTES|MB|CHARS|COUNT|ENTRIES|COMMANDS|EVENTS|ROWS|ITEMS|JOBS|STEPS|LENGTH|DEPTH)(_|$)/
const UNIT_IN_COMMENT =
  /\b(ms|milliseconds?|seconds?|bytes|MiB|KiB|characters|entries|commands|attempts?|items|steps|rows|jobs|hashes|keys|services|connections|requests|files|exports|levels|slots|words|hits|concurrency|share|growth|priority|beats|timers|messages|batches|arcs|segments|records)\b/i

interface Limit {
  readonly where: string
  readonly name: string
  /** The comment above it, or above the block of lines that it stands in. */
  readonly comment: string
}

function limitsOf(path: string): Limit[] {
  const blocks = read(path).split(/\n\s*\n/)
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

const limits = sourceFiles()
  .filter((path) => path.endsWith('/limits.ts'))
  .flatMap(limitsOf)

test('each limit has a comment and a unit', () => {
  const bare = limits
    .filter(({ name, comment }) => {
      return !comment.includes('*') || !(UNIT_IN_NAME.test(name) || UNIT_IN_COMMENT.test(comment))
    })
    .map(({ where, name }) => `${where}: ${name}`)
  assert.deepEqual(
    bare,
    [],
    `Remedy: say above it what it counts, in which unit, and what happens there.\n${bare.join('\n')}`,
  )
})

test('there are limits to look at', () => {
  assert(limits.length > 20, 'Remedy: the rule above looks at files named limits.ts; find out why.')
})
