/**
 * Runs compiled test files with node:test, each in a process of its own, and counts.
 *
 * One line per file; what failed is told in full. The counts are those of the tests themselves:
 * suites are not counted. A file that dies outside its tests, or that holds no test, is one failure.
 */
import { relative, resolve } from 'node:path'
import { run } from 'node:test'

/** A file that has not ended after this many milliseconds is hung and counts as failed. */
const FILE_TIMEOUT_MS = 10 * 60_000

/** Diagnostics by which node:test sums up; all others tell what went wrong. */
const COUNT_LINE = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /

/**
 * @param files        absolute paths of compiled tests
 * @param concurrency  how many files run at a time, ≥ 1
 * @param root         folder of the repository, for short names in what is printed
 * @returns `{passed, failed, skipped}`
 */
export async function runFiles(files, { concurrency, root }) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const waiting = [...files]
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const counts = await runFile(file)
      printFile(relative(root, file), counts)
      for (const outcome of Object.keys(total)) total[outcome] += counts[outcome]
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return total
}

async function runFile(file) {
  const counts = { passed: 0, failed: 0, skipped: 0, ms: 0, failures: [], output: '' }
  const startedAt = performance.now()
  const fail = (name, error) => {
    counts.failed += 1
    counts.failures.push({ name, text: textOf(error) })
  }
  for await (const { type, data } of run({ files: [file], timeout: FILE_TIMEOUT_MS })) {
    if (isWholeFile(data, file)) {
      // Only its end tells whether the process died outside its tests.
      if (type === 'test:complete' && !data.details.passed && counts.failed === 0) {
        fail('the file itself', `its process failed outside its tests${endOf(data.details.error)}`)
      }
    } else if (type === 'test:pass' && data.details.type !== 'suite') {
      counts[data.skip === undefined && data.todo === undefined ? 'passed' : 'skipped'] += 1
    } else if (type === 'test:fail' && isOwnFailure(data)) {
      fail(data.name, data.details.error)
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      counts.output += data.message
    } else if (type === 'test:diagnostic' && !COUNT_LINE.test(data.message)) {
      counts.output += `${data.message}\n`
    }
  }
  if (counts.passed + counts.failed + counts.skipped === 0) fail('the file itself', 'holds no test')
  counts.ms = performance.now() - startedAt
  return counts
}

/** How a process ended, where node:test knows it. */
function endOf(error) {
  const { exitCode, signal } = error ?? {}
  return signal ? `: ended by ${signal}` : exitCode ? `: exit code ${exitCode}` : ''
}

/** node:test also reports each file as if it were a test, named by its path. */
function isWholeFile(data, file) {
  return data?.name !== undefined && resolve(data.name) === file
}

/** False for a suite or a test that failed only because a test inside it did. */
function isOwnFailure(data) {
  return data.details.error?.failureType !== 'subtestsFailed'
}

function textOf(error) {
  const cause = error?.cause ?? error
  if (typeof cause === 'string') return cause
  return cause?.stack ?? String(cause?.message ?? cause)
}

function printFile(name, counts) {
  const mark = counts.failed > 0 ? 'FAILED' : 'ok    '
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  const seconds = (counts.ms / 1000).toFixed(1)
  console.log(`${mark} ${name}: ${counts.passed} passed${skipped}, ${seconds} s`)
  for (const failure of counts.failures) {
    console.log(`\n  failed: ${failure.name}\n${indent(failure.text)}`)
  }
  if (counts.failed > 0 && counts.output !== '') {
    console.log(`\n  what the file printed:\n${indent(counts.output)}`)
  }
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ')
}
