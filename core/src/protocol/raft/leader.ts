import { assert } from '../../base/assert.js'
import type { Instant, LogIndex } from '../../base/ids.js'
import type { MemberChange, Replica, ReplicaId } from './configuration.js'
import { voterIn } from './configuration.js'
import type { LeaderSight } from './election.js'
import { UNCOMMITTED_CHARS_MAX, UNCOMMITTED_ENTRIES_MAX } from './limits.js'
import { type ChangeRefusal, decideChange } from './members.js'
import type { RaftMessage, Snapshot } from './messages.js'
import type { LossReason } from './news.js'
import { DONE, ignored, type Outcome } from './outcome.js'
import { type ConfirmedRead, ReadIndex } from './read-index.js'
import { Replication } from './replication.js'
import type { ReplicaState } from './replica-state.js'

/** Why a leader takes no proposal; nothing has entered the log. */
export type ProposeRefusal = 'not-leader' | 'transferring' | 'overloaded'

export type ReadRefusal = 'no-leader' | 'term-not-committed' | 'overloaded'

export type TransferRefusal = 'not-leader' | 'not-a-voter' | 'is-leader' | 'in-flight'

/**
 * Orders the entries of its term and tells when they are committed.
 *
 * Entered with a majority of votes, its own durable; left by a message of a newer term, without an
 * active majority (E5), or by proof that it is out of the group.
 *
 * LD1 it never changes or cuts its own log (Leader Append-Only, §5.3)
 * LD2 commit rises only to an entry of its own term, and takes what is before it along (§5.4.2)
 * LD3 no read and no change of members before the first entry of its term is committed (E7)
 */
export class Leader {
  readonly role = 'leader'
  readonly #state: ReplicaState
  readonly #replication: Replication
  readonly #reads: ReadIndex
  /** Index of the first entry of this term: no entry at or after it is of another one. */
  readonly termStartIndex: LogIndex
  #heartbeatAt: Instant
  #transfer: { readonly to: Replica; readonly until: Instant; isAsked: boolean } | null = null
  #hasNewEntries = false

  constructor(state: ReplicaState) {
    assert(state.vote === state.self.replicaId, 'V1: leads without its own vote')
    this.#state = state
    this.termStartIndex = state.log.lastIndex + 1
    this.#replication = new Replication(state)
    this.#replication.isSilent = state.standing.diskStalled
    this.#reads = new ReadIndex(state.self.replicaId)
    this.#heartbeatAt = state.now
  }

  get alarmAt(): Instant | null {
    return this.#replication.hasPeers ? this.#heartbeatAt : (this.#transfer?.until ?? null)
  }

  get sight(): LeaderSight {
    return { hasLeader: true, isSticky: true }
  }

  get replication(): Replication {
    return this.#replication
  }

  /** The first entry of the term is committed: everything before it is known to be, too. */
  get hasCommittedInTerm(): boolean {
    return this.#state.commitIndex >= this.termStartIndex
  }

  /** Leads, and has applied all that was acknowledged before its term. */
  get mayServe(): boolean {
    return this.#state.appliedIndex >= this.termStartIndex
  }

  /** Begins the term. @param hasNoOp false: the host proposes the term's first entry itself, at once */
  begin(hasNoOp: boolean): void {
    if (hasNoOp) {
      this.#state.append('', 'no-op')
      this.#hasNewEntries = true
    }
    this.#replication.broadcast(true)
  }

  step(message: RaftMessage): Outcome {
    const { from } = message
    const progress = this.#replication.progressOf(from.replicaId)
    if (progress === undefined) return ignored('not-a-peer')
    if (progress.hasRegressed) {
      this.#state.send(from, { kind: 'regressed', match: progress.match })
      return ignored('regressed')
    }
    switch (message.kind) {
      case 'append-accepted':
        return this.#onAccepted(from.replicaId, message.match)
      case 'append-rejected':
        if (this.#replication.onRejected(message)) this.#tellLost(from.replicaId, 'regressed')
        return DONE
      case 'heartbeat-response':
        this.#replication.onHeartbeatResponse(from.replicaId)
        this.#reads.answered(from.replicaId, message.position)
        this.#answerReads()
        return DONE
      case 'read-index':
        return this.#onForwardedRead(from, message.read)
      case 'snapshot-offset': {
        const { snapshotId, offset } = message
        const isKnown = this.#replication.onSnapshotOffset(from.replicaId, snapshotId, offset)
        return isKnown ? DONE : ignored('unknown-snapshot')
      }
      case 'snapshot-done': {
        const { snapshotId, index } = message
        const isKnown = this.#replication.onSnapshotDone(from.replicaId, snapshotId, index)
        return isKnown ? this.maybeCommit() : ignored('unknown-snapshot')
      }
      case 'snapshot-abort': {
        const isKnown = this.#replication.onSnapshotAbort(from.replicaId, message.snapshotId)
        return isKnown ? DONE : ignored('unknown-snapshot')
      }
      default:
        return ignored('is-leader')
    }
  }

  onAlarm(): Outcome {
    const { now, timing, config } = this.#state
    if (this.#transfer !== null && now >= this.#transfer.until) this.#transfer = null
    if (!this.#replication.hasPeers || now < this.#heartbeatAt) return DONE
    if (!this.#replication.isMajorityActive(config.voters)) {
      return { kind: 'follow', leader: null, reason: 'no-active-majority' }
    }
    this.#replication.expireSnapshots()
    this.#heartbeatAt = now + timing.heartbeatMs
    this.#replication.heartbeat(this.#reads.beginRound())
    return DONE
  }

  /** Before messages are taken: what was proposed or asked since leaves together. */
  flush(): void {
    if (this.#hasNewEntries) {
      this.#hasNewEntries = false
      this.#replication.broadcast(false)
    }
    if (!this.#reads.isRoundDue) return
    this.#replication.heartbeat(this.#reads.beginRound())
    this.#answerReads()
  }

  /** Something was told to be durable, here or there. */
  maybeCommit(): Outcome {
    const held = this.#replication.heldByMajority()
    // LD2: what earlier terms have left commits only with an entry of this one (figure 8).
    if (held >= this.termStartIndex && held > this.#state.commitIndex) {
      this.#state.advanceCommit(held)
      this.#replication.broadcast(true)
    }
    return DONE
  }

  /** Leadership is over: who waits for it is told. */
  end(reason: string): void {
    this.#replication.end()
    for (const { asker, read } of this.#reads.takeAll()) {
      if (asker === null) this.#state.tell({ kind: 'read-failed', read, reason })
    }
  }

  setDiskStalled(isStalled: boolean): void {
    this.#replication.isSilent = isStalled
  }

  // ---- proposals ------------------------------------------------------------------------------------

  /** Why nothing may be proposed; null: it may. */
  get proposeBar(): ProposeRefusal | null {
    if (this.#transfer !== null) return 'transferring'
    const { log, commitIndex, uncommittedChars } = this.#state
    const isFull =
      log.lastIndex - commitIndex >= UNCOMMITTED_ENTRIES_MAX ||
      uncommittedChars >= UNCOMMITTED_CHARS_MAX
    return isFull ? 'overloaded' : null
  }

  propose(payload: string): LogIndex {
    this.#hasNewEntries = true
    return this.#state.append(payload)
  }

  changeMembers(change: MemberChange & { readonly configEpoch: number }): ChangeRefusal | LogIndex {
    const bar = this.proposeBar
    if (bar !== null) return bar
    const next = decideChange(change, {
      state: this.#state,
      replication: this.#replication,
      termStartIndex: this.termStartIndex,
    })
    if (typeof next === 'string') return next
    const index = this.#state.appendConfig(next)
    this.#hasNewEntries = true
    this.#replication.adoptConfiguration()
    return index
  }

  #onAccepted(from: ReplicaId, match: LogIndex): Outcome {
    this.#replication.onAccepted(from, match)
    this.maybeCommit()
    this.#replication.feed(from, false)
    this.#askToTakeOver()
    this.#answerReads()
    return DONE
  }

  /** The store of a peer is not where it was (W1). */
  onStoreMismatch(replicaId: ReplicaId): Outcome {
    const progress = this.#replication.progressOf(replicaId)
    if (progress === undefined) return ignored('not-a-peer')
    if (progress.isLossTold) return ignored('known')
    this.#tellLost(replicaId, 'store-mismatch')
    return DONE
  }

  #tellLost(replicaId: ReplicaId, reason: LossReason): void {
    const progress = this.#replication.progressOf(replicaId)
    if (progress !== undefined) progress.isLossTold = true
    this.#state.tell({ kind: 'replica-lost', replicaId, reason })
  }

  // ---- transfer of leadership (dissertation §3.10) ----------------------------------------------------

  transferTo(id: ReplicaId): TransferRefusal | null {
    const { config, now, self, timing } = this.#state
    if (id === self.replicaId) return 'is-leader'
    const to = voterIn(config, id)
    if (to === undefined) return 'not-a-voter'
    if (this.#transfer !== null) return 'in-flight'
    this.#transfer = { to, until: now + timing.electionMsMin, isAsked: false }
    this.#replication.feed(id, false)
    this.#askToTakeOver()
    return null
  }

  /** Only a voter that holds everything may take over at once, without asking whether it may. */
  #askToTakeOver(): void {
    const transfer = this.#transfer
    if (transfer === null || transfer.isAsked || this.#replication.isSilent) return
    const progress = this.#replication.progressOf(transfer.to.replicaId)
    if (progress?.match !== this.#state.log.lastIndex) return
    transfer.isAsked = true
    this.#state.send(transfer.to, { kind: 'timeout-now' })
  }

  // ---- reads ----------------------------------------------------------------------------------------

  read(read: number): ReadRefusal | null {
    return this.#addRead(null, read)
  }

  #onForwardedRead(from: Replica, read: number): Outcome {
    const refusal = this.#addRead(from, read)
    if (refusal === null) return DONE
    this.#state.send(from, { kind: 'read-index-response', read, index: null })
    return ignored(refusal)
  }

  #addRead(asker: Replica | null, read: number): ReadRefusal | null {
    if (!this.hasCommittedInTerm) return 'term-not-committed'
    if (this.#reads.isFull) return 'overloaded'
    this.#reads.add({ asker, read, index: this.#state.commitIndex })
    return null
  }

  #answerReads(): void {
    for (const read of this.#reads.takeConfirmed(this.#state.config)) this.#answerRead(read)
  }

  #answerRead({ asker, read, index }: ConfirmedRead): void {
    if (asker === null) this.#state.tell({ kind: 'read-ready', read, index })
    else this.#state.send(asker, { kind: 'read-index-response', read, index })
  }

  // ---- snapshots --------------------------------------------------------------------------------------

  offerSnapshot(to: ReplicaId, snapshot: Snapshot): string | null {
    return this.#replication.offerSnapshot(to, snapshot)
  }
}
