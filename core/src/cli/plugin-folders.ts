import { readdir } from 'node:fs/promises'
import { usageError } from './cli-error.js'

export interface PluginFolders {
  readonly workers?: readonly string[]
  readonly jobs?: readonly string[]
}

/**
 * Refuses a folder that cannot be listed before a node is started with it: a mistyped path would
 * otherwise look like services that do not exist. A plugin in it that fails to load is another
 * matter: it is named, and the node serves without it.
 *
 * @throws CliError with exit code 2
 */
export async function checkPluginFolders({ workers, jobs }: PluginFolders): Promise<void> {
  for (const folder of workers ?? []) await checkFolder('--workers', folder)
  for (const folder of jobs ?? []) await checkFolder('--jobs', folder)
}

async function checkFolder(flag: string, folder: string): Promise<void> {
  try {
    await readdir(folder)
  } catch (cause) {
    throw usageError(
      `${flag} ${folder} ${reasonOf(cause)}.`,
      `Name a folder of plugin modules with ${flag}, seen from ${process.cwd()}.`,
    )
  }
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : String(cause)
  if (code === 'ENOENT') return 'does not exist'
  if (code === 'ENOTDIR') return 'is not a folder'
  return `cannot be read (${String(code)})`
}
