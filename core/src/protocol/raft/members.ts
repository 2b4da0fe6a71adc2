import {
  afterChange,
  type Configuration,
  type MemberChange,
  type ReplicaId,
  replicaIn,
} from './configuration.js'
import type { ReplicaState } from './replica-state.js'
import type { Replication } from './replication.js'

/** Why a change of members is refused: nothing has changed, and it may be asked again. */
export type ChangeRefusal =
  | 'not-leader'
  | 'transferring'
  /** The group has changed since: the change was made for another configuration (C2). */
  | 'other-epoch'
  /** C1a: the entry that began this term is not committed. */
  | 'term-not-committed'
  /** C1b: the change before is not committed. */
  | 'change-in-flight'
  | 'unknown-replica'
  /** C6: a leader hands over before it is taken away. */
  | 'is-leader'
  /** C5: the learner does not keep up. */
  | 'not-caught-up'
  /** C2: with it, no majority would answer. */
  | 'no-active-majority'
  | 'does-not-fit'
  | 'overloaded'

/**
 * Decides on one change of members (protocol §4.6). One replica at a time, and only from a committed
 * configuration in a term that has committed something: without the latter two leaders of different
 * terms could each commit a change that the other knows nothing of (Ongaro, raft-dev, July 2015).
 *
 * @returns the configuration to append, or why not
 */
export function decideChange(
  change: MemberChange & { readonly configEpoch: number },
  { state, replication, termStartIndex }: LeadingReplica,
): Configuration | ChangeRefusal {
  const { config, configs, commitIndex } = state
  if (change.configEpoch !== config.configEpoch) return 'other-epoch'
  if (termStartIndex > commitIndex) return 'term-not-committed'
  if (configs.latestIndex > commitIndex) return 'change-in-flight'
  if (change.kind !== 'add-learner') {
    const { replicaId } = change
    if (replicaIn(config, replicaId) === undefined) return 'unknown-replica'
    if (replicaId === state.self.replicaId) return 'is-leader'
    if (change.kind === 'promote' && !isPromotable(replicaId, state, replication)) {
      return 'not-caught-up'
    }
  }
  const { configEpoch: _made, ...asked } = change
  const next = afterChange(config, asked)
  if (next === undefined) return 'does-not-fit'
  return replication.isMajorityActive(next.voters) ? next : 'no-active-majority'
}

export interface LeadingReplica {
  readonly state: ReplicaState
  readonly replication: Replication
  /** Index of the entry that began the term. */
  readonly termStartIndex: number
}

function isPromotable(id: ReplicaId, state: ReplicaState, replication: Replication): boolean {
  const progress = replication.progressOf(id)
  if (progress === undefined || !replication.isActive(id) || progress.hasRegressed) return false
  // Without its own configuration it would be a voter that votes for nobody.
  if (progress.match < state.configs.latestIndex) return false
  return progress.isCaughtUp(state.timing.electionMsMin)
}
