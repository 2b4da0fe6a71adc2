import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXPLAIN_CODES } from './contract/explain-codes.js'
import { PROBLEM_CODES, problemKind } from './error-mapping.js'

/** This file runs from core/dist/api. */
const ROOT = join(import.meta.dirname, '..', '..', '..')
const SOURCES = ['core/src', 'jobs/src', 'workers/src']

const reference = readFileSync(join(ROOT, 'core/docs/reference/errors.md'), 'utf8')
const [, problems = '', ...otherTables] = reference.split('\n## ')
/** Codes of explanations are no errors: they stand with what they explain. */
const explanations =
  readFileSync(join(ROOT, 'core/docs/reference/api.md'), 'utf8')
    .split('\n## ')
    .find((part) => part.startsWith('Why a job is where it is')) ?? ''

function codesOf(table: string): string[] {
  return [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? '')
}

function sources(): string[] {
  return SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|testing\//.test(path))
      .map((path) => readFileSync(join(ROOT, folder, path), 'utf8')),
  )
}

test('the reference lists exactly the codes of the API, with their statuses', () => {
  const rows = [...problems.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)]
  const documented = rows.map(([, code, status]) => `${code} ${status}`).sort()
  const mapped = PROBLEM_CODES.map((code) => `${code} ${problemKind(code).status}`).sort()
  assert.deepEqual(documented, mapped)
})

test('every code that the sources give is in the reference', () => {
  const given =
    /\bcode: '([a-z_]+)'|AppError\(\s*'([a-z_]+)'|(?:permanent|refused)\(\s*'([a-z_]+)'|#fail\([\w.]+, '([a-z_]+)'|new Problem\(\s*'([a-z_]+)'/g
  const documented = new Set([...codesOf(reference), ...codesOf(explanations)])
  const missing = sources()
    .flatMap((text) => [...text.matchAll(given)].map((match) => match.slice(1).find(Boolean) ?? ''))
    .filter((code) => !documented.has(code))
  assert.deepEqual(
    [...new Set(missing)],
    ['attempt_fenced'],
    'Remedy: describe the code in core/docs/reference/errors.md; one that clients get as a problem also needs a status in error-mapping.ts',
  )
})

test('the page of the API describes exactly the codes of explanations', () => {
  assert.deepEqual(codesOf(explanations).sort(), [...EXPLAIN_CODES].sort())
})

test('the reference names no code that the sources do not know', () => {
  const all = sources().join('\n')
  const dead = codesOf(otherTables.join('\n')).filter((code) => !all.includes(`'${code}'`))
  assert.deepEqual(dead, [], 'Remedy: remove the row from core/docs/reference/errors.md')
})
