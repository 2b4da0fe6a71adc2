import type { LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Edit, MUTATIONS } from './list.js'

/**
 * Loads our modules once more for each mutation, with the bug planted: who is imported as
 * `run.js?mutation=NAME` imports everything of ours under that name, too. Files and other packages
 * stay as they are.
 */
const PARAMETER = 'mutation'

/** Compiled code of ours. TypeBox is none, and large. */
const OURS = /\/(?:core|jobs|test)\/dist\/(?!spec\/typebox\.js)/

export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context)
  const name = mutationIn(context.parentURL)
  if (name === null || !OURS.test(resolved.url) || mutationIn(resolved.url) !== null)
    return resolved
  return { ...resolved, url: `${resolved.url}?${PARAMETER}=${name}` }
}

/** Changes modules as they are loaded; an edit that does not fit exactly once is stale. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const mutation = MUTATIONS.find(({ name }) => name === mutationIn(url))
  if (mutation === undefined) return loaded
  const path = fileURLToPath(url)
  const edits = [mutation, ...(mutation.also ?? [])].filter(({ file }) =>
    path.endsWith(`/core/dist/${file}`),
  )
  if (edits.length === 0) return loaded
  return { ...loaded, source: edits.reduce(withEdit, String(loaded.source)) }
}

function mutationIn(url: string | undefined): string | null {
  return url === undefined || !URL.canParse(url) ? null : new URL(url).searchParams.get(PARAMETER)
}

function withEdit(source: string, { file, find, replace }: Edit): string {
  const parts = source.split(find)
  if (parts.length === 2) return parts.join(replace)
  throw new Error(
    `the mutation is stale: its text is ${parts.length - 1} times in ${file}: ${find}`,
  )
}
