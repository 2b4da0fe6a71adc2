import type { ArcId } from '../base/ids.js'
import type { Command } from '../protocol/ledger/command.js'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { Query } from '../protocol/ledger/query.js'
import type { EngineStatus, OffersBody } from '../protocol/node/messages.js'

/**
 * The node as the API sees it. Every call resolves; expected refusals come back as replies, a node
 * that is stopping or cannot answer in time as `{ok: false, code: 'overloaded' | 'outcome_unknown' …}`.
 */
export interface NodeClient {
  readonly identity: NodeIdentity
  /** What the plugins of this node offer now; replaced whole when the services thread restarts. */
  readonly offers: OffersBody
  propose(proposal: Proposal): Promise<Reply>
  query(arc: ArcId, query: Query): Promise<Reply>
  /** Asks all arcs at once; the body says how many are `missing` (protocol/ledger/query.ts). */
  queryAll(query: Query): Promise<Reply>
  /** Waits for a job's end; to be cancelled by whoever gives up waiting. */
  watchJob(id: string): Watch
  /** Waits for the next events of a job's timeline; to be cancelled as well. */
  followJob(id: string, page: EventPage): Watch
  status(): Promise<EngineStatus>
}

export interface EventPage {
  /** Events with a greater `seq` are wanted. */
  readonly after: number
  readonly limit: number
  /** How many notes of running attempts are known; more are waited for as well. Absent: none is. */
  readonly notes?: number
}

export interface Watch {
  /** What was waited for, once it is there; never settles after `cancel`. */
  readonly reply: Promise<Reply>
  cancel(): void
}

export interface Proposal {
  readonly arc: ArcId
  readonly command: Command
  /** Services of the tasks that the command may make ready at once: a hint for grants. */
  readonly needs?: readonly string[]
  /** True for new work: refused first on overload. */
  readonly sheddable?: boolean
}

export interface NodeIdentity {
  readonly clusterId: string
  readonly nodeId: string
  readonly storeId: string
  readonly bootEpoch: number
  readonly name: string
  readonly arcCount: number
  readonly version: string
  /** What fails together; null: nobody said. */
  readonly zone: string | null
  readonly labels: Readonly<Record<string, string>>
}
