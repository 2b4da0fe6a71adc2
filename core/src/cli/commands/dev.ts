import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExitCode, usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { holdsNoNode } from '../data-folder.js'
import { parsePort } from '../node-flags.js'
import { checkPluginFolders } from '../plugin-folders.js'
import { runNode } from '../run-node.js'

export interface DevOptions {
  readonly nodes?: string
  readonly data?: string
  readonly api?: string
  readonly workers?: readonly string[]
  readonly jobs?: readonly string[]
  readonly logLevel?: string
}

const DEFAULT_PORT = 7070

/** Runs a ring for trying things: data in a temporary folder that goes with it, unless `--data`. */
export async function dev(context: CommandContext, options: DevOptions): Promise<ExitCode> {
  if (options.nodes !== undefined && options.nodes !== '1') {
    throw usageError(
      `This version runs rings of one node; --nodes ${options.nodes} is not available.`,
      'Leave --nodes out.',
    )
  }
  await checkPluginFolders(options)
  const temporary = options.data === undefined ? await makeFolder() : null
  const dataFolder = temporary ?? options.data ?? ''
  try {
    return await runNode(context, {
      dataFolder,
      mode: (await holdsNoNode(dataFolder)) ? 'init' : 'resume',
      api: {
        host: '127.0.0.1',
        port: options.api === undefined ? DEFAULT_PORT : parsePort(options.api),
      },
      portFallback: true,
      workers: options.workers ?? [],
      jobs: options.jobs ?? [],
      builtIns: true,
      ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
    })
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true })
  }
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'gyre-dev-'))
}
