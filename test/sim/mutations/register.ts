import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MUTATIONS } from './list.js'

/** Preloaded by `node --import`: plants the mutation that GYRE_MUTATION names. */
const name = process.env['GYRE_MUTATION']
const mutation = MUTATIONS.find((candidate) => candidate.name === name)
if (mutation === undefined)
  throw new Error(`there is no mutation ${name}; see test/sim/mutations/list.ts`)

const dist = new URL('../../../../core/dist/', import.meta.url)
const url = new URL(mutation.file, dist).href
register('./load-hook.js', {
  parentURL: pathToFileURL(`${import.meta.dirname}/`),
  data: { ...mutation, url },
})
