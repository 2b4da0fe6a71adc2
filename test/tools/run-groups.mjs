/**
 * Runs groups of tests one after the other and closes with the plain line that people and CI read:
 * `N passed, M failed`. The exit code is 1 when anything failed, or when nothing ran.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beginOwnTmpdir, endOwnTmpdir } from './own-tmpdir.mjs'
import { findTests } from './test-files.mjs'
import { runFiles } from './run-files.mjs'

const ROOT = join(import.meta.dirname, '..', '..')

/**
 * @param groups  `{name, concurrency, accepts(source)}`; a test belongs to the first that accepts it
 * @param parts   parts of paths; empty: all
 * @param scripts npm scripts that count as one test each and run first, unless parts are named
 * @param first   sources that begin before the others of their group, in this order
 */
export async function runGroups(groups, parts, { scripts = [], first = [] } = {}) {
  process.env['NODE_OPTIONS'] = [process.env['NODE_OPTIONS'], '--enable-source-maps']
    .filter((option) => option !== undefined)
    .join(' ')
  const wanted = (source) => parts.length === 0 || parts.some((part) => source.includes(part))
  const { tests, missing } = findTests(ROOT)
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const script of parts.length === 0 ? scripts : []) {
    total[passes(script) ? 'passed' : 'failed'] += 1
  }
  const folder = beginOwnTmpdir()
  const left = new Set(tests.filter((test) => wanted(test.source)))
  for (const group of groups) {
    const chosen = inOrder(
      [...left].filter((test) => group.accepts(test.source)),
      first,
    )
    for (const test of chosen) left.delete(test)
    if (chosen.length === 0) continue
    console.log(`\n${group.name}: ${chosen.length} files`)
    const files = chosen.map((test) => test.compiled)
    add(total, await runFiles(files, { concurrency: group.concurrency, root: ROOT }))
  }
  for (const source of missing.filter((source) => groups.some((group) => group.accepts(source)))) {
    if (!wanted(source)) continue
    console.log(`\nFAILED ${source} was not compiled: run \`npm run build\` and see why.`)
    total.failed += 1
  }
  const sources = new Set([...tests.map((test) => test.source), ...missing])
  for (const source of first.filter((source) => !sources.has(source))) {
    console.log(`\nFAILED ${source} is to begin first and is not there: change the list.`)
    total.failed += 1
  }
  for (const name of endOwnTmpdir(folder)) {
    console.log(`\nFAILED ${name} was left in TMPDIR: clean up with temporaryFolder or atEnd.`)
    total.failed += 1
  }
  close(total)
}

function inOrder(tests, first) {
  const rank = ({ source }) => {
    const place = first.indexOf(source)
    return place < 0 ? first.length : place
  }
  return tests.sort((a, b) => rank(a) - rank(b))
}

/** Runs an npm script, and shows what it says only if it fails. */
function passes(script) {
  const ran = spawnSync('npm', ['run', '--silent', script], { cwd: ROOT, encoding: 'utf8' })
  console.log(`${ran.status === 0 ? 'ok    ' : 'FAILED'} npm run ${script}`)
  if (ran.status !== 0) console.log(`${ran.stdout}${ran.stderr}`)
  return ran.status === 0
}

function add(total, counts) {
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
}

function close(total) {
  if (total.passed + total.failed === 0) console.log('\nNo test ran: nothing matches.')
  const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}
