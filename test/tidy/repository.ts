import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** The folder of the repository: this file runs from test/dist/tidy. */
export const ROOT = join(import.meta.dirname, '..', '..', '..')

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', 'coverage'])

/** Paths of all files that are not built or installed, relative to the root, with `/`. */
export function allFiles(): string[] {
  return filesBelow(ROOT).map((path) => relative(ROOT, path).split(sep).join('/'))
}

/** TypeScript sources of production code and tests. */
export function sourceFiles(): string[] {
  return allFiles().filter((path) => path.endsWith('.ts'))
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path))
}

export function isTest(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts')
}

/** Source text without comments; strings stay, line numbers too. */
export function withoutComments(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|(^|[^:'"`\\])\/\/.*$/gm,
    (match, before?: string) => (before ?? '') + match.replace(/[^\n]/g, '').slice(0),
  )
}

/** Where a pattern occurs: `path:line: text`. */
export function occurrences(path: string, text: string, pattern: RegExp): string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (SKIPPED.has(entry.name)) return []
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
}
