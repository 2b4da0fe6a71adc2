import { Type } from '@gyre/jobs/typebox'
import { Id, Nullable, ref } from './parts.js'

/** The ring, who owns what, and what stands behind an ID. */

const Arc = Type.Integer({ minimum: 0, description: 'Number of the arc.' })
const Role = Type.String({ description: 'leader, or what else a replica can be.' })

const RingNode = Type.Object(
  {
    id: Id,
    name: Type.String(),
    address: Type.String({ description: 'Where its API listens.' }),
    zone: Nullable(Type.String()),
    labels: Type.Record(Type.String(), Type.String()),
    state: Type.Enum(['joining', 'up', 'draining', 'removing']),
    reachability: Type.Enum(['alive', 'suspect', 'dead']),
    version: Type.String(),
    services: Type.Array(Type.String()),
    capacity: Type.Object({
      slots: Type.Record(Type.String(), Type.Integer(), {
        description: 'By service: how many attempts at a time.',
      }),
      resources: Type.Record(Type.String(), Type.Number(), {
        description: 'cpu (cores), memoryMb, and units of its own.',
      }),
    }),
    load: Type.Object({
      runningAttempts: Type.Integer(),
      pendingProposals: Type.Integer({ description: 'Changes that are not on disk yet.' }),
      resources: Type.Record(Type.String(), Type.Number(), {
        description: 'What of them the running attempts take.',
      }),
    }),
  },
  { $id: 'RingNode' },
)

const Ring = Type.Object(
  {
    cluster: Id,
    name: Type.String(),
    level: Type.Integer({ description: 'Feature level.' }),
    rf: Type.Integer({ description: 'Replicas that each arc is meant to have.' }),
    health: Type.Object(
      {
        healthy: Type.Integer(),
        underReplicated: Type.Integer(),
        unavailable: Type.Integer(),
      },
      { description: 'Arcs.' },
    ),
    nodes: Type.Array(ref('RingNode')),
    arcs: Type.Array(
      Type.Object({
        arc: Arc,
        from: Id,
        to: Id,
        owner: Id,
        term: Type.Integer(),
        replicas: Type.Array(
          Type.Object({ node: Id, role: Role, lag: Type.Integer({ description: 'Entries.' }) }),
        ),
        desired: Type.Array(Id),
      }),
    ),
  },
  { $id: 'Ring' },
)

const owner = {
  id: Id,
  arc: Arc,
  owner: Id,
  replicas: Type.Array(
    Type.Object({
      node: Id,
      role: Role,
      appliedIndex: Type.Integer(),
      agrees: Type.Boolean(),
    }),
  ),
}

const Owner = Type.Object(
  { ...owner, closest: Type.String({ description: 'The node whose ID is closest.' }) },
  { $id: 'Owner' },
)

const Peek = Type.Object(
  {
    ...owner,
    kind: Type.Enum(['node', 'job', 'task', 'record', 'resource', 'schedule', 'topic', 'nothing']),
    content: Type.Union([ref('Job'), ref('Task'), ref('Record'), ref('RingNode'), Type.Null()]),
  },
  { $id: 'Peek', description: 'What stands behind an ID; `content` is that of its `kind`.' },
)

export const RING_ANSWERS = [RingNode, Ring, Owner, Peek]
