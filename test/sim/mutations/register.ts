import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MUTATIONS } from './list.js'
import type { PlacedEdit } from './load-hook.js'

/** Preloaded by `node --import`: plants the mutation that GYRE_MUTATION names. */
const name = process.env['GYRE_MUTATION']
const mutation = MUTATIONS.find((candidate) => candidate.name === name)
if (mutation === undefined)
  throw new Error(`there is no mutation ${name}; see test/sim/mutations/list.ts`)

const dist = new URL('../../../../core/dist/', import.meta.url)
const data = [mutation, ...(mutation.also ?? [])].map(
  ({ file, find, replace }): PlacedEdit => ({ file, find, replace, url: new URL(file, dist).href }),
)
register('./load-hook.js', { parentURL: pathToFileURL(`${import.meta.dirname}/`), data })
