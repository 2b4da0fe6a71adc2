import type { Instant } from '../../base/ids.js'
import type { ReplicaId } from './configuration.js'
import type { LeaderSight } from './election.js'
import type { Body, RaftMessage } from './messages.js'
import { DONE, ignored, type Outcome } from './outcome.js'
import { verdictOf } from './quorum.js'
import type { ReplicaState } from './replica-state.js'

/**
 * Asks for votes.
 *
 * - pre-candidate: entered when no leader was heard for an election timeout; changes neither term nor
 *   vote (E2); left as a candidate with a majority, as a follower when a leader is heard or a majority
 *   refuses.
 * - candidate: entered with a majority of pre-votes, or at the leader's request; has a new term and its
 *   own vote, which counts once it is durable; left as a leader with a majority.
 *
 * Either begins anew after an election timeout, as a pre-candidate.
 */
export class Candidate {
  readonly role: 'pre-candidate' | 'candidate'
  readonly #state: ReplicaState
  readonly #answers = new Map<ReplicaId, boolean>()
  readonly #electionAt: Instant

  constructor(state: ReplicaState, role: 'pre-candidate' | 'candidate') {
    this.#state = state
    this.role = role
    this.#electionAt = state.drawElectionAt()
  }

  get alarmAt(): Instant | null {
    return this.#electionAt
  }

  get sight(): LeaderSight {
    return { hasLeader: false, isSticky: false }
  }

  /** @param transfer the leader asked for it: voters need not stand by it */
  begin(transfer: boolean): Outcome {
    const state = this.#state
    if (this.role === 'pre-candidate') {
      const candidateTerm = state.term + 1
      this.#answers.set(state.self.replicaId, true)
      this.#ask({ kind: 'pre-vote', candidateTerm, ...state.logEnd })
      return this.#verdict()
    }
    state.adoptTerm(state.term + 1)
    state.voteFor(state.self.replicaId)
    state.castOwnVote()
    this.#ask({ kind: 'vote', transfer, ...state.logEnd })
    return DONE
  }

  step(message: RaftMessage): Outcome {
    switch (message.kind) {
      case 'pre-vote-response':
        if (this.role !== 'pre-candidate') return ignored('not-asked')
        if (message.candidateTerm !== this.#state.term + 1) return ignored('other-term')
        return this.#answered(message.from.replicaId, message.granted)
      case 'vote-response':
        if (this.role !== 'candidate') return ignored('not-asked')
        return this.#answered(message.from.replicaId, message.granted)
      default:
        return ignored('no-leader')
    }
  }

  /** The vote for itself is durable. */
  ownVoteCast(): Outcome {
    return this.#answered(this.#state.self.replicaId, true)
  }

  onAlarm(): Outcome {
    return this.#state.now < this.#electionAt ? DONE : { kind: 'pre-campaign' }
  }

  #answered(voter: ReplicaId, granted: boolean): Outcome {
    if (!this.#answers.has(voter)) this.#answers.set(voter, granted)
    return this.#verdict()
  }

  #verdict(): Outcome {
    switch (verdictOf(this.#state.config, this.#answers)) {
      case 'open':
        return DONE
      case 'lost':
        return { kind: 'follow', leader: null, reason: 'election-lost' }
      case 'won':
        return this.role === 'candidate' ? { kind: 'lead' } : { kind: 'campaign', transfer: false }
    }
  }

  #ask(body: Body): void {
    const state = this.#state
    for (const voter of state.config.voters) {
      if (voter.replicaId !== state.self.replicaId) state.sendAfterTerm(voter, body)
    }
  }
}
