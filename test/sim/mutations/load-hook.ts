import type { LoadHook } from 'node:module'
import { realpathSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Mutation } from './list.js'

type Planted = Mutation & { readonly url: string }

let planted: Planted | null = null

export function initialize(mutation: Planted): void {
  planted = { ...mutation, url: pathToFileURL(realpathSync(fileURLToPath(mutation.url))).href }
}

/** Changes the one module as it is loaded; a mutation that does not fit exactly once is stale. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  if (planted === null || url !== planted.url) return loaded
  const parts = String(loaded.source).split(planted.find)
  if (parts.length !== 2) {
    throw new Error(
      `mutation ${planted.name} is stale: its text is ${parts.length - 1} times in ${planted.file}`,
    )
  }
  return { ...loaded, source: parts.join(planted.replace) }
}
