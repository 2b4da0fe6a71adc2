import type { LoadHook } from 'node:module'
import { realpathSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Edit } from './list.js'

/** An edit with the URL of the module that it changes. */
export interface PlacedEdit extends Edit {
  readonly url: string
}

let planted: readonly PlacedEdit[] = []

export function initialize(edits: readonly PlacedEdit[]): void {
  planted = edits.map((edit) => ({ ...edit, url: realUrl(edit.url) }))
}

/** Changes modules as they are loaded; an edit that does not fit exactly once is stale. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const edits = planted.filter((edit) => edit.url === url)
  if (edits.length === 0) return loaded
  return { ...loaded, source: edits.reduce(withEdit, String(loaded.source)) }
}

function withEdit(source: string, { file, find, replace }: Edit): string {
  const parts = source.split(find)
  if (parts.length === 2) return parts.join(replace)
  throw new Error(
    `the mutation is stale: its text is ${parts.length - 1} times in ${file}: ${find}`,
  )
}

function realUrl(url: string): string {
  return pathToFileURL(realpathSync(fileURLToPath(url))).href
}
