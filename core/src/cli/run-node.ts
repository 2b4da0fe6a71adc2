import { tuneHeaps } from '../adapters/thread-memory.js'
import { type ExitCode, EXIT } from './cli-error.js'
import { type NodeOptions, startNode } from './node/start-node.js'
import type { NodeOwner } from './node-owner.js'

/** Starts a node, tells its owner when it serves, and stays until it is to stop or ends by itself. */
export async function runNode(owner: NodeOwner, options: NodeOptions): Promise<ExitCode> {
  tuneHeaps()
  const node = await startNode(options)
  const { nodeId: id, name } = node.identity
  owner.ready({ id, name, api: node.url })
  const ended = await Promise.race([owner.stopAsked, node.closed])
  if (typeof ended === 'string') {
    owner.note(`${ended}: stopping`)
    await node.stop()
    return EXIT.ok
  }
  if (ended.code === 0) return EXIT.ok
  owner.note('The node has ended by itself; its last log lines say why.')
  return EXIT.failed
}
