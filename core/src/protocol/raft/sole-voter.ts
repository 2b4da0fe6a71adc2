import { AssertionError, assert } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { Prng } from '../../base/prng.js'
import { type ReplicaId, soleVoter } from './configuration.js'
import type { GroupStart } from './group.js'
import { ELECTION_MS_MAX, ELECTION_MS_MIN, HEARTBEAT_MS } from './limits.js'
import type { StoredEntries } from './log.js'
import { Raft } from './raft.js'

export interface SoleVoterOptions {
  readonly arc: ArcId
  /** ID of this node; its lower half names the store that it was made with. */
  readonly node: string
  readonly boot: number
  readonly start: GroupStart & { readonly firstIndex: LogIndex }
  /** What the state machine holds: committed, whatever else is. */
  readonly applied: LogIndex
}

/**
 * The group of an arc on a ring of one node: one voter, replica 1. It begins in the same way whether
 * its log is empty or was written before groups had configurations: those logs hold none, and name
 * the node where a replica is meant.
 *
 * The node proposes the first entry of each term itself: it has to carry the arc's time.
 */
export function soleVoterGroup({ arc, node, boot, start, applied }: SoleVoterOptions): Raft {
  const { firstIndex, lastIndex, lastTerm } = start
  const isHeld = lastIndex >= firstIndex && lastIndex > 0
  const config = soleVoter(node, node)
  const [self] = config.voters
  assert(self !== undefined, 'the sole voter is a voter')
  return new Raft({
    arc,
    generation: 0,
    self,
    boot,
    hasNoOp: false,
    start: {
      term: start.term,
      vote: voteOf(start.vote),
      // Nobody asks for terms of entries before the last one while there is nobody else.
      base: { index: firstIndex - 1, term: isHeld ? 0 : lastTerm },
      lastIndex,
      termRuns: isHeld ? [{ from: lastIndex, term: lastTerm }] : [],
      commitIndex: applied,
      configs: [{ index: 0, config }],
    },
    stored: NOBODY_ASKS,
    timing: {
      heartbeatMs: HEARTBEAT_MS,
      electionMsMin: ELECTION_MS_MIN,
      electionMsMax: ELECTION_MS_MAX,
    },
    prng: new Prng(Number.parseInt(node.slice(-8), 16) * 65_536 + arc).fork(`boot ${boot}`),
  })
}

const NOBODY_ASKS: StoredEntries = {
  read: () => {
    throw new AssertionError('a sole voter sends no entries')
  },
}

/** Logs of before name the node, which is replica 1. */
function voteOf(vote: string | null): ReplicaId | null {
  if (vote === null) return null
  return /^\d{1,9}$/.test(vote) ? Number(vote) : 1
}

/** Where an arc without a log begins. */
export const NO_LOG: GroupStart & { readonly firstIndex: LogIndex } = {
  term: 0,
  vote: null,
  firstIndex: 1,
  lastIndex: 0,
  lastTerm: 0,
}
