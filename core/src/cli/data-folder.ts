import { readdir } from 'node:fs/promises'
import { CliError } from './cli-error.js'

/** What a start leaves behind that came to an end before the node was made. */
const LEFTOVERS = /^(?:lock\.db.*|log|state)$/

/**
 * True when no node lives in the folder: it does not exist, or it holds nothing but what a start
 * left that came no further. A node is made by its superblock, which is written last.
 */
export async function holdsNoNode(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).every((name) => LEFTOVERS.test(name))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return true
    throw new CliError(`The data folder ${folder} cannot be read.`, {
      remedy: 'Name a folder that this user may read and write.',
      cause,
    })
  }
}
