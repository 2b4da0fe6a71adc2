import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, type ExitCode, usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { holdsNoNode } from '../data-folder.js'
import { DevNode } from '../dev-node.js'
import { readHandlerSettings } from '../handler-settings.js'
import { npmShellGone } from '../launcher.js'
import { parseCapacity, parsePort } from '../node-flags.js'
import type { Output } from '../output.js'
import { checkPluginFolders } from '../plugin-folders.js'
import { printReady } from '../ready.js'
import { outliveReader } from '../reader.js'
import { StopSignals } from '../stop-signals.js'

export interface DevOptions {
  readonly nodes?: string
  readonly data?: string
  readonly api?: string
  readonly workers?: readonly string[]
  readonly jobs?: readonly string[]
  readonly capacity?: string
  readonly workerConfig?: string
  readonly workerSecrets?: string
  readonly logLevel?: string
}

const DEFAULT_PORT = 7070

/**
 * Runs a ring for trying things, its node in a process of its own: data in a temporary folder that
 * goes with it, unless `--data`.
 */
export async function dev({ output }: CommandContext, options: DevOptions): Promise<ExitCode> {
  checkNodes(options.nodes)
  if (options.capacity !== undefined) parseCapacity(options.capacity)
  readHandlerSettings(options, {})
  const port = options.api === undefined ? DEFAULT_PORT : parsePort(options.api)
  await checkPluginFolders(options)
  // From here on neither a signal nor a reader that goes away must not end this process before the folder is gone.
  outliveReader()
  const signals = new StopSignals()
  const npmGone = npmShellGone(process.env)
  const temporary = options.data === undefined ? await makeFolder() : null
  const dataFolder = temporary ?? options.data ?? ''
  try {
    const node = new DevNode({
      dataFolder,
      init: await holdsNoNode(dataFolder),
      temporary: temporary !== null,
      port,
      workers: options.workers ?? [],
      jobs: options.jobs ?? [],
      settings: settingsOf(options),
      ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
    })
    const stop = Promise.race([signals.first, npmGone])
    const remedy =
      temporary === null
        ? `Run the same line again: what it acknowledged is in ${dataFolder}.`
        : 'Its data goes with it; keep the data of the next one with --data DIR.'
    return await follow(output, node, { stop, kill: signals.again, remedy })
  } finally {
    if (temporary !== null) await rm(temporary, { recursive: true, force: true })
  }
}

/** What dev passes on to its node as it was given. */
function settingsOf({ capacity, workerConfig, workerSecrets }: DevOptions): Record<string, string> {
  return {
    ...(capacity === undefined ? {} : { capacity }),
    ...(workerConfig === undefined ? {} : { 'worker-config': workerConfig }),
    ...(workerSecrets === undefined ? {} : { 'worker-secrets': workerSecrets }),
  }
}

function checkNodes(nodes: string | undefined): void {
  if (nodes === undefined || nodes === '1') return
  throw usageError(
    `This version runs rings of one node; --nodes ${nodes} is not available.`,
    'Leave --nodes out.',
  )
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'gyre-dev-'))
}

interface FollowOptions {
  /** Settle with the reason when the node is to stop, and when it is not to be waited for. */
  readonly stop: Promise<string>
  readonly kill: Promise<string>
  /** What to do when it has ended by itself. */
  readonly remedy: string
}

/** Stays with the node to its end and tells of it. */
async function follow(output: Output, node: DevNode, options: FollowOptions): Promise<ExitCode> {
  const { stop, kill, remedy } = options
  void node.ready.then((ready) => printReady(output, ready))
  void stop.then((why) => {
    output.note(`${why}: stopping`)
    node.stop()
  })
  void kill.then((why) => {
    output.note(`${why} once more: killing the node`)
    node.kill()
  })
  const { code, signal } = await node.exited
  if (node.mode === 'stopping' && code === 0) return EXIT.ok
  if (node.mode === 'killed') return EXIT.failed
  // A node that cannot start says itself what stands in its way.
  if (node.mode === 'starting' && code !== null) return code === EXIT.usage ? code : EXIT.failed
  const how = signal ?? `exit code ${code}`
  output.note(`The node has ended by itself (${how}); its last log lines are above.`)
  output.note(remedy)
  return EXIT.failed
}
