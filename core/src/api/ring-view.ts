import { type ArcId, arcOf, SYSTEM_ARC } from '../base/ids.js'
import type { EngineStatus } from '../protocol/node/messages.js'
import type { NodeClient } from '../runtime/node-client.js'

/** The ring as clients see it. One node leads every arc of it and is its only member. */

/** Feature level of the ring: 1 is the first. */
const LEVEL = 1
/** Replicas that each arc is meant to have: as many as there are nodes. */
const REPLICATION = 1

/** @param address where this node's API listens */
export function ringView(client: NodeClient, status: EngineStatus, address: string): object {
  const { identity } = client
  const arcs = ringArcs(status)
  const stopped = new Set(status.stopped.map(([arc]) => arc))
  const down = status.serving ? arcs.filter(([arc]) => stopped.has(arc)).length : arcs.length
  return {
    cluster: identity.clusterId,
    name: identity.name,
    level: LEVEL,
    rf: REPLICATION,
    health: {
      healthy: arcs.length - down,
      underReplicated: 0,
      unavailable: down,
    },
    nodes: [nodeView(client, status, address)],
    arcs: arcs.map(([arc, term]) => ({
      arc,
      from: arcStart(arc, identity.arcCount),
      to: arcStart((arc + 1) % identity.arcCount, identity.arcCount),
      owner: identity.nodeId,
      term,
      replicas: [{ node: identity.nodeId, role: stopped.has(arc) ? 'stopped' : 'leader', lag: 0 }],
      desired: [identity.nodeId],
    })),
  }
}

/** This node as a member of its ring. */
export function nodeView(client: NodeClient, status: EngineStatus, address: string): object {
  const { identity, offers } = client
  return {
    id: identity.nodeId,
    name: identity.name,
    address,
    zone: identity.zone,
    labels: identity.labels,
    state: status.stopping ? 'draining' : 'up',
    reachability: 'alive',
    version: identity.version,
    services: offers.services.map((service) => service.name),
    capacity: {
      slots: Object.fromEntries(
        offers.services.map(({ name, concurrency }) => [name, concurrency]),
      ),
      resources: amountsOf(status, 'has'),
    },
    load: {
      runningAttempts: status.runningAttempts,
      pendingProposals: status.pendingProposals,
      resources: amountsOf(status, 'used'),
    },
  }
}

function amountsOf({ resources }: EngineStatus, member: 'has' | 'used'): Record<string, number> {
  return Object.fromEntries(Object.entries(resources).map(([unit, load]) => [unit, load[member]]))
}

/** Who is responsible for an ID. */
export function ownerView(client: NodeClient, status: EngineStatus, id: string): OwnerView {
  const { nodeId, arcCount } = client.identity
  const arc = arcOf(id, arcCount)
  const appliedIndex = status.arcs.find(([each]) => each === arc)?.[4] ?? 0
  return {
    id,
    arc,
    owner: nodeId,
    replicas: [{ node: nodeId, role: 'leader', appliedIndex, agrees: true }],
    closest: nodeId,
  }
}

export interface OwnerView {
  readonly id: string
  readonly arc: ArcId
  readonly owner: string
  readonly replicas: readonly {
    readonly node: string
    readonly role: 'leader'
    readonly appliedIndex: number
    readonly agrees: boolean
  }[]
  readonly closest: string
}

/** Without the system arc, which is no slice of the ring. */
function ringArcs(status: EngineStatus): EngineStatus['arcs'] {
  return status.arcs.filter(([arc]) => arc !== SYSTEM_ARC)
}

/** First ID of an arc; an arc ends where the next begins, the last one at the ring's origin. */
function arcStart(arc: ArcId, arcCount: number): string {
  return ((arc * 0x10000) / arcCount).toString(16).padStart(4, '0').padEnd(32, '0')
}
