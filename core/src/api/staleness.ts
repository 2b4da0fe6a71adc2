import type { FastifyReply } from 'fastify'
import { type ArcId, SYSTEM_ARC } from '../base/ids.js'
import type { NodeClient } from '../runtime/node-client.js'

/**
 * What `consistency=stale` promises to tell. The nearest replica of a node that leads all its arcs is
 * the leader's own, so it is never behind. A list over all arcs tells the lowest applied index of them.
 */
export async function tellStaleness(
  reply: FastifyReply,
  client: NodeClient,
  read: { readonly consistency: string | undefined; readonly arc: ArcId | 'all' },
): Promise<void> {
  if (read.consistency !== 'stale') return
  const { arcs } = await client.status()
  const isAsked = read.arc === 'all' ? isOfRing : (arc: ArcId) => arc === read.arc
  const indexes = arcs.filter(([arc]) => isAsked(arc)).map(([, , , , applied]) => applied)
  const applied = indexes.length === 0 ? 0 : Math.min(...indexes)
  reply.header('Gyre-Applied-Index', String(applied)).header('Gyre-Staleness-Ms', '0')
}

function isOfRing(arc: ArcId): boolean {
  return arc !== SYSTEM_ARC
}
