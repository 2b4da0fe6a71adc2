import { assert } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'
import type { Replica, ReplicaId } from './configuration.js'
import { APPEND_CHARS_MAX, SNAPSHOT_SILENCE_MS } from './limits.js'
import type { RaftMessage, Snapshot } from './messages.js'
import { Progress } from './progress.js'
import { majorityOf, reachedByMajority } from './quorum.js'
import type { ReplicaState } from './replica-state.js'

type Rejected = Extract<RaftMessage, { readonly kind: 'append-rejected' }>

/**
 * A leader's way of bringing its peers' logs to its own (§5.3; dissertation §10.2): whom to send what
 * and when, and what a majority holds. What to do about it is the leader's (leader.ts).
 *
 * There is one progress for each peer of the latest configuration, voters and learners.
 */
export class Replication {
  readonly #state: ReplicaState
  readonly #peers = new Map<ReplicaId, { readonly replica: Replica; readonly progress: Progress }>()
  /** With D1 nothing leaves that would keep followers from electing somebody with a disk. */
  isSilent = false

  constructor(state: ReplicaState) {
    this.#state = state
    this.adoptConfiguration()
  }

  get hasPeers(): boolean {
    return this.#peers.size > 0
  }

  progressOf(id: ReplicaId): Progress | undefined {
    return this.#peers.get(id)?.progress
  }

  /** The latest configuration is another one: peers come and go. */
  adoptConfiguration(): void {
    const { log, now } = this.#state
    const peers = this.#state.peers()
    const ids = new Set(peers.map(({ replicaId }) => replicaId))
    for (const [id, { progress }] of this.#peers) {
      if (ids.has(id)) continue
      this.#endSnapshotOf(progress, 'removed')
      this.#peers.delete(id)
    }
    for (const replica of peers) {
      if (this.#peers.has(replica.replicaId)) continue
      const progress = new Progress(log.lastIndex + 1, now)
      this.#peers.set(replica.replicaId, { replica, progress })
    }
  }

  // ---- what a majority holds --------------------------------------------------------------------------

  /** The newest entry that a majority of the voters holds durably; this replica counts by its own disk. */
  heldByMajority(): LogIndex {
    const { config, self, log } = this.#state
    if (this.#peers.size === 0) return config.voters.length === 1 ? log.durable : 0
    return reachedByMajority(
      config.voters.map(({ replicaId }) =>
        replicaId === self.replicaId ? log.durable : (this.progressOf(replicaId)?.held ?? 0),
      ),
    )
  }

  /** A majority of these voters was heard within an election timeout (CheckQuorum, E5). */
  isMajorityActive(voters: readonly Replica[]): boolean {
    const active = voters.filter((voter) => this.isActive(voter.replicaId))
    return active.length >= majorityOf(voters.length)
  }

  isActive(id: ReplicaId): boolean {
    const { now, self, timing } = this.#state
    if (id === self.replicaId) return true
    const progress = this.progressOf(id)
    return progress !== undefined && now - progress.heardAt < timing.electionMsMin
  }

  // ---- appends ----------------------------------------------------------------------------------------

  /** Everybody gets what is new for it; `evenEmpty`: or at least the commit index. */
  broadcast(evenEmpty: boolean): void {
    for (const id of this.#peers.keys()) this.feed(id, evenEmpty)
  }

  /** Sends what the peer's bounds allow. */
  feed(id: ReplicaId, evenEmpty: boolean): void {
    let isForced = evenEmpty
    while (this.#sendAppend(id, isForced)) isForced = false
  }

  /** @returns true when entries left and more may follow */
  #sendAppend(id: ReplicaId, evenEmpty: boolean): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined || this.isSilent || peer.progress.isPaused) return false
    const { progress, replica } = peer
    const { log } = this.#state
    const prevIndex = progress.next - 1
    const prevTerm = log.termAt(prevIndex)
    const entries = progress.isFull ? [] : log.slice(progress.next, APPEND_CHARS_MAX)
    if (prevTerm === undefined || entries === undefined) {
      this.#wantSnapshot(replica, progress)
      return false
    }
    if (entries.length === 0 && !evenEmpty) return false
    this.#state.send(replica, {
      kind: 'append',
      number: progress.nextNumber(),
      prevIndex,
      prevTerm,
      entries,
      commit: this.#state.commitIndex,
    })
    let chars = 0
    for (const entry of entries) chars += entry.payload.length
    progress.sent(prevIndex + entries.length, chars)
    return entries.length > 0
  }

  onAccepted(id: ReplicaId, match: LogIndex): void {
    const progress = this.progressOf(id)
    assert(progress !== undefined, 'an answer is of a peer')
    const { log, commitIndex, now } = this.#state
    assert(match <= log.lastIndex, 'a follower holds no more than its leader')
    this.#heard(progress)
    const { snapshot } = progress
    progress.accepted(match, log.base)
    if (snapshot !== null && progress.snapshot === null) this.#tellOver(snapshot, 'caught-up')
    progress.noteRound(commitIndex, now)
  }

  /** @returns true when the peer has lost what it had acknowledged (W4) */
  onRejected({ from, number, prevIndex, hintIndex, hintTerm }: Rejected): boolean {
    const progress = this.progressOf(from.replicaId)
    assert(progress !== undefined, 'an answer is of a peer')
    this.#heard(progress)
    const hint = this.#state.log.lastNotAbove(hintIndex, hintTerm)
    const verdict = progress.rejected(number, prevIndex, hint)
    if (verdict === 'probing') this.feed(from.replicaId, true)
    if (verdict !== 'regressed') return false
    this.#state.send(from, { kind: 'regressed', match: progress.match })
    return true
  }

  /** What was lost on the way may go again: of a peer whose window is full only an empty append. */
  onHeartbeatResponse(id: ReplicaId): void {
    const progress = this.progressOf(id)
    assert(progress !== undefined, 'an answer is of a peer')
    this.#heard(progress)
    progress.resume()
    progress.noteRound(this.#state.commitIndex, this.#state.now)
    const isBehind = progress.match < this.#state.log.lastIndex
    if (isBehind || progress.state === 'probe') this.feed(id, true)
  }

  #heard(progress: Progress): void {
    progress.heardAt = this.#state.now
  }

  heartbeat(position: number): void {
    if (this.isSilent) return
    const { commitIndex } = this.#state
    for (const { replica, progress } of this.#peers.values()) {
      const commit = Math.min(progress.match, commitIndex)
      this.#state.sendAfterTerm(replica, { kind: 'heartbeat', commit, position })
    }
  }

  // ---- snapshots --------------------------------------------------------------------------------------

  #wantSnapshot(replica: Replica, progress: Progress): void {
    if (progress.snapshotWanted) return
    progress.snapshotWanted = true
    this.#state.tell({ kind: 'snapshot-needed', to: replica.replicaId })
  }

  /** @returns why not; null: it is announced to the peer */
  offerSnapshot(to: ReplicaId, snapshot: Snapshot): string | null {
    const peer = this.#peers.get(to)
    if (peer === undefined) return 'unknown-replica'
    if (this.isSilent) return 'disk-stalled'
    const { progress, replica } = peer
    if (progress.state === 'snapshot') return 'in-flight'
    if (snapshot.index < this.#state.log.base) return 'too-old'
    assert(snapshot.index <= this.#state.commitIndex, 'a snapshot is of what is committed')
    progress.becomeSnapshot(snapshot, this.#state.now)
    this.#state.send(replica, { kind: 'snapshot-begin', snapshot })
    this.#state.tell({ kind: 'snapshot-send', to: replica, snapshot, offset: 0 })
    return null
  }

  onSnapshotOffset(id: ReplicaId, snapshotId: string, offset: number): boolean {
    const peer = this.#peers.get(id)
    if (peer?.progress.snapshot?.snapshotId !== snapshotId) return false
    const { progress, replica } = peer
    this.#heard(progress)
    progress.snapshotHeardAt = this.#state.now
    const { snapshot } = progress
    if (snapshot !== null)
      this.#state.tell({ kind: 'snapshot-send', to: replica, snapshot, offset })
    return true
  }

  onSnapshotDone(id: ReplicaId, snapshotId: string, index: LogIndex): boolean {
    const progress = this.progressOf(id)
    if (progress?.snapshot?.snapshotId !== snapshotId) return false
    this.onAccepted(id, index)
    this.#abort(progress, 'done')
    this.feed(id, true)
    return true
  }

  onSnapshotAbort(id: ReplicaId, snapshotId: string): boolean {
    const progress = this.progressOf(id)
    if (progress?.snapshot?.snapshotId !== snapshotId) return false
    this.#abort(progress, 'aborted')
    return true
  }

  /** Receivers that give no sign hold the log no longer. */
  expireSnapshots(): void {
    for (const { progress, replica } of this.#peers.values()) {
      const { snapshot } = progress
      if (snapshot === null) continue
      if (this.#state.now - progress.snapshotHeardAt < SNAPSHOT_SILENCE_MS) continue
      this.#state.send(replica, { kind: 'snapshot-abort', snapshotId: snapshot.snapshotId })
      this.#abort(progress, 'silent')
    }
  }

  /** The host may cut its log up to here: what follows the snapshots on their way is kept. */
  get compactLimit(): LogIndex {
    let limit = Number.MAX_SAFE_INTEGER
    for (const { progress } of this.#peers.values()) {
      if (progress.snapshot !== null) limit = Math.min(limit, progress.snapshot.index)
    }
    return limit
  }

  /** Leadership is over. */
  end(): void {
    for (const { progress } of this.#peers.values()) {
      this.#endSnapshotOf(progress, 'leader-changed')
    }
  }

  /** Probing starts where the peer is known to be: then it turns out whether it needs another one. */
  #abort(progress: Progress, reason: string): void {
    const { snapshot } = progress
    if (snapshot === null) return
    progress.endSnapshot()
    this.#tellOver(snapshot, reason)
  }

  #endSnapshotOf({ snapshot }: Progress, reason: string): void {
    if (snapshot !== null) this.#tellOver(snapshot, reason)
  }

  #tellOver({ snapshotId }: Snapshot, reason: string): void {
    this.#state.tell({ kind: 'snapshot-over', snapshotId, reason })
  }
}
