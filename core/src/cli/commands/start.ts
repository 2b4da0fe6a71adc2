import { rm } from 'node:fs/promises'
import { CliError, EXIT, type ExitCode, usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { readHandlerSettings } from '../handler-settings.js'
import { parseLabels } from '../labels.js'
import { type ApiAddress, parseArcCount, parseCapacity, parseHostAndPort } from '../node-flags.js'
import { holdsNoNode } from '../data-folder.js'
import { devAsOwner, personAsOwner } from '../node-owner.js'
import { checkPluginFolders } from '../plugin-folders.js'
import { runNode } from '../run-node.js'

export interface StartOptions {
  readonly data?: string
  readonly init?: boolean
  readonly join?: string
  readonly name?: string
  readonly zone?: string
  readonly label?: readonly string[]
  readonly api?: string
  readonly arcs?: string
  readonly insecure?: boolean
  readonly workers?: readonly string[]
  readonly jobs?: readonly string[]
  readonly builtIns?: boolean
  readonly capacity?: string
  readonly workerConfig?: string
  readonly workerSecrets?: string
  readonly logLevel?: string
  /** This node is one of `gyre dev`, which listens at the other end of the channel. */
  readonly underDev?: boolean
  /** With `underDev`: the data folder goes with the node. */
  readonly temporary?: boolean
}

const DEFAULT_API: ApiAddress = { host: '127.0.0.1', port: 7070 }

/** Runs one node in the foreground until it is told to stop. */
export async function start(context: CommandContext, options: StartOptions): Promise<ExitCode> {
  const dataFolder = options.data
  if (dataFolder === undefined) throw usageError('Name the data folder with --data DIR.')
  if (options.join !== undefined) {
    throw usageError(
      'This version runs rings of one node, so --join is not available.',
      'Make a ring of its own with --init.',
    )
  }
  const init = options.init === true
  const underDev = options.underDev === true
  const owner = underDev ? devAsOwner() : personAsOwner(context.output)
  await checkPluginFolders(options)
  await checkFolder(dataFolder, init)
  const code = await runNode(owner, {
    dataFolder,
    mode: init ? 'init' : 'resume',
    api: options.api === undefined ? DEFAULT_API : parseHostAndPort(options.api),
    portFallback: underDev,
    workers: options.workers ?? [],
    jobs: options.jobs ?? [],
    settings: readHandlerSettings(options, process.env),
    builtIns: options.builtIns !== false,
    insecure: options.insecure === true,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.zone === undefined ? {} : { zone: options.zone }),
    labels: Object.fromEntries(parseLabels(options.label ?? [])),
    ...(options.capacity === undefined ? {} : { capacity: parseCapacity(options.capacity) }),
    ...(options.arcs === undefined ? {} : { arcCount: parseArcCount(options.arcs) }),
    ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
  })
  // Dev removes the folder too; but dev may be gone, and then nobody else would.
  if (underDev && options.temporary === true && code === EXIT.ok) {
    await rm(dataFolder, { recursive: true, force: true })
  }
  return code
}

/** Nothing is ever created by accident: a ring begins only by --init in an empty folder. */
async function checkFolder(folder: string, init: boolean): Promise<void> {
  const empty = await holdsNoNode(folder)
  if (empty && !init) {
    throw new CliError(`The folder ${folder} holds no node.`, {
      remedy:
        'Make a new ring in it with --init, or let it join one with --join HOST:PORT ' +
        '(--join is not available in this version).',
    })
  }
  if (!empty && init) {
    throw new CliError(`The folder ${folder} is in use: --init needs an empty one.`, {
      remedy: 'Start without --init to resume the node in it, or name an empty folder.',
    })
  }
}
