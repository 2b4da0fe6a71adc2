import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Files by path, so that a rule can be shown a few that are made up as well as ours. */
export interface Tree {
  /** Relative to the root, with `/`. */
  readonly paths: readonly string[]
  read(path: string): string
  /** True for files and folders. */
  has(path: string): boolean
}

/** The folder of the repository: this file runs from test/dist/tidy. */
const ROOT = join(import.meta.dirname, '..', '..', '..')

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', 'coverage'])

/** All files of the repository that are not built or installed. */
export const REPOSITORY: Tree = {
  paths: filesBelow(ROOT).map((path) => relative(ROOT, path).split(sep).join('/')),
  read: (path) => readFileSync(join(ROOT, path), 'utf8'),
  has: (path) => existsSync(join(ROOT, path)),
}

/** @param files  text by path */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  const paths = Object.keys(files)
  return {
    paths,
    read: (path) => files[path] ?? '',
    has: (path) => paths.some((file) => `${file}/`.startsWith(path.replace(/\/?$/, '/'))),
  }
}

/** TypeScript sources of production code and tests. */
export function sourceFiles(tree: Tree): string[] {
  return tree.paths.filter((path) => path.endsWith('.ts'))
}

export function isTest(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts')
}

/** Source text without comments; strings stay, line numbers too. */
export function withoutComments(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|(^|[^:'"`\\])\/\/.*$/gm,
    (match, before?: string) => (before ?? '') + match.replace(/[^\n]/g, ''),
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
