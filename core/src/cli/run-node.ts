import { growHeapsInSmallSteps } from '../adapters/thread-memory.js'
import { type ExitCode, EXIT } from './cli-error.js'
import type { CommandContext } from './command-context.js'
import { type NodeOptions, type RunningNode, startNode } from './node/start-node.js'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Starts a node, prints its `ready` line and stays until a signal asks for its end or the node ends
 * by itself. The first signal stops it gracefully; the same signal again ends the process at once,
 * because the handler is gone by then.
 */
export async function runNode(context: CommandContext, options: NodeOptions): Promise<ExitCode> {
  growHeapsInSmallSteps()
  const asked = nextSignal()
  const node = await startNode(options)
  printReady(context, node)
  const ended = await Promise.race([asked, node.closed])
  if (typeof ended === 'string') {
    context.output.note(`${ended}: stopping`)
    await node.stop()
    return EXIT.ok
  }
  if (ended.code === 0) return EXIT.ok
  context.output.note('The node has ended by itself; its last log lines say why.')
  return EXIT.failed
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of STOP_SIGNALS) process.once(signal, () => resolve(signal))
  })
}

function printReady({ output }: CommandContext, node: RunningNode): void {
  const { nodeId, name } = node.identity
  const document = { event: 'ready', id: nodeId, name, api: node.url, ring: null }
  if (output.json) output.line(JSON.stringify(document))
  else output.line(`ready ${nodeId} name ${name} api ${node.url} ring none`)
}
