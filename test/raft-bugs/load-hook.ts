import type { LoadHook } from 'node:module'
import { realpathSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PLANTED_BUGS, type RaftEdit, STALE_EXIT } from './list.js'

const FOLDER = new URL('../../../core/dist/protocol/raft/', import.meta.url)

let edits: readonly RaftEdit[] = []

export function initialize(name: string): void {
  const bug = PLANTED_BUGS.find((candidate) => candidate.name === name)
  if (bug === undefined) throw new Error(`there is no bug ${name}; see test/raft-bugs/list.ts`)
  edits = bug.edits
}

/** Changes modules as they are loaded; an edit that does not fit exactly once is stale. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const fitting = edits.filter(([file]) => url === urlOf(file))
  if (fitting.length === 0) return loaded
  return { ...loaded, source: fitting.reduce(withEdit, String(loaded.source)) }
}

function urlOf(file: string): string {
  return pathToFileURL(realpathSync(fileURLToPath(new URL(file, FOLDER)))).href
}

function withEdit(source: string, [file, find, replace]: RaftEdit): string {
  const parts = source.split(find)
  if (parts.length === 2) return parts.join(replace)
  console.error(`STALE: the text is ${parts.length - 1} times in ${file}: ${find}`)
  process.exit(STALE_EXIT)
}
