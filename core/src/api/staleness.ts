import type { FastifyReply } from 'fastify'
import type { ArcId } from '../base/ids.js'
import type { NodeClient } from '../runtime/node-client.js'

/**
 * What `consistency=stale` promises to tell. The nearest replica of a node that leads all its arcs is
 * the leader's own, so it is never behind.
 */
export async function tellStaleness(
  reply: FastifyReply,
  client: NodeClient,
  read: { readonly consistency: string | undefined; readonly arc: ArcId },
): Promise<void> {
  if (read.consistency !== 'stale') return
  const { arcs } = await client.status()
  const applied = arcs.find(([arc]) => arc === read.arc)?.[4] ?? 0
  reply.header('Gyre-Applied-Index', String(applied)).header('Gyre-Staleness-Ms', '0')
}
