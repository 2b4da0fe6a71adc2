import { assert } from '../../base/assert.js'
import type { Instant, LogIndex } from '../../base/ids.js'
import type { Replica } from './configuration.js'
import type { LeaderSight } from './election.js'
import { READS_COUNT_MAX } from './limits.js'
import type { LogEntry } from './log-record.js'
import type { RaftMessage, Snapshot } from './messages.js'
import { DONE, ignored, type Outcome } from './outcome.js'
import type { ReplicaState } from './replica-state.js'

type Append = Extract<RaftMessage, { readonly kind: 'append' }>

/**
 * Takes what its leader sends, and waits for one when there is none.
 *
 * Entered at start, by a message of a newer term or of the term's leader, by a vote given; left when
 * nothing is heard for an election timeout, or at the leader's request.
 *
 * F1  an entry that its leader sent is never cut off in that leader's term (Leader Append-Only, seen
 *     from here)
 * F2  what it acknowledges is durable when the acknowledgement leaves
 */
export class Follower {
  readonly role = 'follower'
  readonly #state: ReplicaState
  readonly leader: Replica | null
  #heardAt: Instant
  #electionAt: Instant
  /** Reads asked of the leader: number → when they are given up. */
  readonly #reads = new Map<number, Instant>()
  #receiving: { readonly from: Replica; readonly snapshot: Snapshot } | null = null

  constructor(state: ReplicaState, leader: Replica | null) {
    this.#state = state
    this.leader = leader
    this.#heardAt = leader === null ? Number.NEGATIVE_INFINITY : state.now
    this.#electionAt = state.drawElectionAt()
  }

  /** Null while it may not campaign and waits for nothing: whoever idles sleeps. */
  get alarmAt(): Instant | null {
    const { standing, config } = this.#state
    const ats = [...this.#reads.values()]
    if (standing.campaignBar(config) === null) ats.push(this.#electionAt)
    return ats.length === 0 ? null : Math.min(...ats)
  }

  get sight(): LeaderSight {
    const silentMs = this.#state.now - this.#heardAt
    return {
      hasLeader: this.leader !== null,
      isSticky: silentMs < this.#state.timing.electionMsMin,
    }
  }

  step(message: RaftMessage): Outcome {
    switch (message.kind) {
      case 'append':
        return this.#onAppend(message)
      case 'heartbeat':
        return this.#onHeartbeat(message)
      case 'snapshot-begin':
        return this.#onSnapshotBegin(message)
      case 'snapshot-abort':
        return this.#onSnapshotAbort(message.snapshotId)
      case 'timeout-now':
        return this.#onTimeoutNow(message)
      case 'read-index-response':
        return this.#onReadIndex(message)
      case 'regressed':
        return this.#onRegressed()
      case 'read-index':
        this.#state.send(message.from, {
          kind: 'read-index-response',
          read: message.read,
          index: null,
        })
        return ignored('not-leader')
      default:
        return ignored('not-leader')
    }
  }

  onAlarm(): Outcome {
    const { now } = this.#state
    for (const [read, at] of this.#reads) if (now >= at) this.#failRead(read, 'no-answer')
    if (now < this.#electionAt) return DONE
    this.postpone()
    return { kind: 'pre-campaign' }
  }

  /** Waits for another election timeout. */
  postpone(): void {
    this.#electionAt = this.#state.drawElectionAt()
  }

  /** Asks the leader for an index. @returns why not; null: it is asked */
  read(read: number): string | null {
    if (this.leader === null) return 'no-leader'
    if (this.#reads.size >= READS_COUNT_MAX) return 'overloaded'
    this.#reads.set(read, this.#state.now + this.#state.timing.electionMsMin)
    this.#state.sendAfterTerm(this.leader, { kind: 'read-index', read })
    return null
  }

  /** The role ends: nothing that it waits for will come. */
  end(): void {
    for (const read of [...this.#reads.keys()]) this.#failRead(read, 'leader-changed')
    this.#dropSnapshot('leader-changed')
  }

  // ---- log ------------------------------------------------------------------------------------------

  #onAppend(message: Append): Outcome {
    const state = this.#state
    this.#hear()
    const { number, prevIndex, prevTerm } = message
    if (prevIndex > state.commitIndex && state.log.termAt(prevIndex) !== prevTerm) {
      this.#reject(message)
      return ignored('gap-or-conflict')
    }
    const lastNew = prevIndex + message.entries.length
    // What is committed here is in every later leader's log, so it need not be compared.
    if (lastNew > state.commitIndex) this.#take(message.entries, state.commitIndex)
    const match = Math.max(lastNew, state.commitIndex)
    state.advanceCommit(Math.max(state.commitIndex, Math.min(message.commit, match)))
    state.standing.noteLog({ lastIndex: match, lastTerm: state.log.termAt(match) ?? 0 })
    state.sendDurable(message.from, { kind: 'append-accepted', number, match })
    return DONE
  }

  /** Cuts off what conflicts, and only that: entries may come in any order (§5.3). */
  #take(entries: readonly LogEntry[], committed: LogIndex): void {
    const { log } = this.#state
    const at = entries.findIndex(({ index, term }) => {
      if (index <= committed) {
        const own = log.termAt(index)
        assert(own === undefined || own === term, 'Leader Completeness: a committed entry differs')
        return false
      }
      return log.termAt(index) !== term
    })
    const first = entries[at]
    if (first === undefined) return
    if (first.index <= log.lastIndex) this.#state.truncateFrom(first.index)
    this.#state.appendForeign(entries.slice(at))
  }

  #reject({ from, number, prevIndex, prevTerm }: Append): void {
    const { log } = this.#state
    const hintIndex = log.lastNotAbove(prevIndex, prevTerm)
    const hintTerm = log.termAt(hintIndex) ?? 0
    const body = { kind: 'append-rejected', number, prevIndex, hintIndex, hintTerm } as const
    this.#state.sendAfterTerm(from, body)
  }

  #onHeartbeat(message: Extract<RaftMessage, { readonly kind: 'heartbeat' }>): Outcome {
    const state = this.#state
    this.#hear()
    // The leader names no more than this log is known to hold, but a disk may have lost it since.
    const commit = Math.min(message.commit, state.log.lastIndex)
    if (commit > state.commitIndex) state.advanceCommit(commit)
    const { position } = message
    state.sendAfterTerm(message.from, { kind: 'heartbeat-response', position })
    return DONE
  }

  #hear(): void {
    this.#heardAt = this.#state.now
    this.postpone()
  }

  /** A disk that forgets what it promised may not promise any more (W4). */
  #onRegressed(): Outcome {
    this.#state.standing.becomeQuarantined()
    this.#state.tell({ kind: 'quarantined' })
    return DONE
  }

  // ---- leadership and reads --------------------------------------------------------------------------

  #onTimeoutNow({ from }: RaftMessage): Outcome {
    if (from.replicaId !== this.leader?.replicaId) return ignored('not-my-leader')
    return { kind: 'campaign', transfer: true }
  }

  #onReadIndex({
    read,
    index,
  }: Extract<RaftMessage, { readonly kind: 'read-index-response' }>): Outcome {
    if (!this.#reads.has(read)) return ignored('not-asked')
    if (index === null) return this.#failRead(read, 'refused')
    this.#reads.delete(read)
    this.#state.tell({ kind: 'read-ready', read, index })
    return DONE
  }

  #failRead(read: number, reason: string): Outcome {
    this.#reads.delete(read)
    this.#state.tell({ kind: 'read-failed', read, reason })
    return DONE
  }

  // ---- snapshots --------------------------------------------------------------------------------------

  #onSnapshotBegin(message: Extract<RaftMessage, { readonly kind: 'snapshot-begin' }>): Outcome {
    const state = this.#state
    const { from, snapshot } = message
    this.#hear()
    if (this.#isSuperfluous(snapshot)) {
      this.#tellDone(from, snapshot)
      return ignored('not-needed')
    }
    if (this.#receiving?.snapshot.snapshotId === snapshot.snapshotId) return ignored('known')
    this.#dropSnapshot('another-began')
    this.#receiving = { from, snapshot }
    state.tell({ kind: 'snapshot-receive', from, snapshot })
    return DONE
  }

  /** Old, or all of it is in the log already: then only the commit index moves. */
  #isSuperfluous({ index, term }: Snapshot): boolean {
    const state = this.#state
    if (index <= state.commitIndex) return true
    if (state.log.termAt(index) !== term) return false
    state.advanceCommit(index)
    return true
  }

  /** How far its chunks have come. */
  snapshotOffset(snapshotId: string, offset: number): Outcome {
    const receiving = this.#receiving
    if (receiving?.snapshot.snapshotId !== snapshotId) return ignored('unknown-snapshot')
    this.#state.send(receiving.from, { kind: 'snapshot-offset', snapshotId, offset })
    return DONE
  }

  /**
   * All chunks are here and verified. When this is done, the host writes the rows and the records
   * that it takes next in one batch; the leader hears of it after that.
   */
  installSnapshot(snapshotId: string): Outcome {
    const receiving = this.#receiving
    if (receiving?.snapshot.snapshotId !== snapshotId) return ignored('unknown-snapshot')
    const { from, snapshot } = receiving
    this.#receiving = null
    const isNeeded = !this.#isSuperfluous(snapshot)
    if (isNeeded) {
      this.#state.reset(snapshot)
      this.#state.standing.noteLog({ lastIndex: snapshot.index, lastTerm: snapshot.term })
    }
    this.#tellDone(from, snapshot)
    return isNeeded ? DONE : ignored('not-needed')
  }

  abortSnapshot(snapshotId: string): Outcome {
    const receiving = this.#receiving
    if (receiving?.snapshot.snapshotId !== snapshotId) return ignored('unknown-snapshot')
    this.#receiving = null
    this.#state.send(receiving.from, { kind: 'snapshot-abort', snapshotId })
    return DONE
  }

  #onSnapshotAbort(snapshotId: string): Outcome {
    if (this.#receiving?.snapshot.snapshotId !== snapshotId) return ignored('unknown-snapshot')
    this.#dropSnapshot('aborted')
    return DONE
  }

  #tellDone(to: Replica, { snapshotId }: Snapshot): void {
    const index = this.#state.commitIndex
    this.#state.sendDurable(to, { kind: 'snapshot-done', snapshotId, index })
  }

  #dropSnapshot(reason: string): void {
    if (this.#receiving === null) return
    const { snapshotId } = this.#receiving.snapshot
    this.#receiving = null
    this.#state.tell({ kind: 'snapshot-over', snapshotId, reason })
  }
}
