import type { LogEnd, RaftMessage } from './messages.js'
import { DONE, ignored, type Outcome } from './outcome.js'
import type { ReplicaState } from './replica-state.js'

/** What a voter's role knows of the leader. */
export interface LeaderSight {
  readonly hasLeader: boolean
  /** It leads, or has heard from its leader within an election timeout: it stands by it (E1). */
  readonly isSticky: boolean
}

type PreVote = Extract<RaftMessage, { readonly kind: 'pre-vote' }>
type Vote = Extract<RaftMessage, { readonly kind: 'vote' }>

/**
 * Answers to candidates (§5.2, §5.4.1; dissertation §9.6; protocol §4.2).
 *
 * E1  whoever hears its leader answers no candidate, unless the leader itself handed over
 * E2  a pre-vote changes nothing here; E3 one of an older term is told the newer one, else the two
 *     would wait for each other for ever (etcd #8501)
 * E8  learners vote, too: one that was promoted may not know it yet
 */
export function answerPreVote(state: ReplicaState, message: PreVote, sight: LeaderSight): Outcome {
  const { candidateTerm, from } = message
  const answer = (granted: boolean): Outcome => {
    state.sendAfterTerm(from, { kind: 'pre-vote-response', candidateTerm, granted })
    return DONE
  }
  if (candidateTerm < state.term) return answer(false)
  const bar = state.standing.voteBar(state.config, message)
  if (bar !== null) return ignored(bar)
  if (candidateTerm > state.term && sight.isSticky) return ignored('leader-alive')
  const isFree = state.vote === from.replicaId || (state.vote === null && !sight.hasLeader)
  return answer((candidateTerm > state.term || isFree) && isUpToDate(state, message))
}

/** A vote request of the term that runs here, perhaps since it came. */
export function answerVote(state: ReplicaState, message: Vote, sight: LeaderSight): Outcome {
  const { from } = message
  const bar = state.standing.voteBar(state.config, message)
  if (bar !== null) return ignored(bar)
  const isFree = state.vote === from.replicaId || (state.vote === null && !sight.hasLeader)
  const granted = isFree && isUpToDate(state, message)
  if (granted) state.voteFor(from.replicaId)
  state.sendAfterTerm(from, { kind: 'vote-response', granted })
  const isNews = granted && !sight.hasLeader
  return isNews ? { kind: 'follow', leader: null, reason: 'voted' } : DONE
}

/** The election restriction (§5.4.1): nobody wins whose log may lack a committed entry. */
function isUpToDate(state: ReplicaState, { lastTerm, lastIndex }: LogEnd): boolean {
  const own = state.logEnd
  return lastTerm > own.lastTerm || (lastTerm === own.lastTerm && lastIndex >= own.lastIndex)
}
