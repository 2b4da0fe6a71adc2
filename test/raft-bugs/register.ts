import { register } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Preloaded by `node --import`: plants the bug that GYRE_RAFT_BUG names. */
register('./load-hook.js', {
  parentURL: pathToFileURL(`${import.meta.dirname}/`),
  data: process.env['GYRE_RAFT_BUG'] ?? '',
})
