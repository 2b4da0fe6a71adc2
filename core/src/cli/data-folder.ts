import { readdir } from 'node:fs/promises'
import { CliError } from './cli-error.js'

/**
 * True when the folder does not exist or holds nothing but the lock of a start that came no further.
 */
export async function isEmptyFolder(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).every((name) => name.startsWith('lock.db'))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return true
    throw new CliError(`The data folder ${folder} cannot be read.`, {
      remedy: 'Name a folder that this user may read and write.',
      cause,
    })
  }
}
