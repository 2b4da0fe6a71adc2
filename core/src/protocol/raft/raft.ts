import { assert, unreachable } from '../../base/assert.js'
import type { ArcId, Instant, LogIndex, Term } from '../../base/ids.js'
import { Candidate } from './candidate.js'
import { isRemoved, type MemberChange, type Replica, type ReplicaId } from './configuration.js'
import { answerPreVote, answerVote } from './election.js'
import { Follower } from './follower.js'
import type { Group, GroupWrite, PersistMark, Role } from './group.js'
import { misaddressed } from './identity.js'
import { Leader, type ProposeRefusal, type TransferRefusal } from './leader.js'
import type { LogEntry } from './log-record.js'
import type { ChangeRefusal } from './members.js'
import { isFromLeader, isNotice, type RaftMessage, type Snapshot } from './messages.js'
import type { News } from './news.js'
import { DONE, ignored, type Outcome } from './outcome.js'
import { type ReplicaOptions, ReplicaState } from './replica-state.js'
import type { Standing } from './standing.js'

export interface RaftOptions extends ReplicaOptions {
  /** Counts the lives of this replica's process: makes the numbers of its reads unique (< 2^21). */
  readonly boot: number
  /** False: the host proposes the first entry of each of its terms itself, as soon as it leads. */
  readonly hasNoOp: boolean
}

/**
 * One replica of one arc's group: Raft (Ongaro and Ousterhout 2014; Ongaro's dissertation) with
 * pre-vote, CheckQuorum and stickiness together, learners, single-step changes of members, batched
 * read indexes, transfer of leadership. Its job here: terms, the dispatch of what comes in, and every
 * change of role. Sans-I/O: time, randomness and stored entries are handed in; records, messages and
 * news are taken out. Not its job: what entries mean, where messages go, when members change.
 *
 * V1 … V3 of replica-state.ts, L1 … L2 of log.ts, F1 … F2 of follower.ts, LD1 … LD3 of leader.ts, and
 * R1  at most one replica leads in one term (§5.2, Election Safety)
 * R2  a message counts only if it is for this replica, of this generation (identity.ts)
 */
export class Raft implements Group {
  readonly #state: ReplicaState
  readonly #hasNoOp: boolean
  #role: Follower | Candidate | Leader
  #nextRead: number

  constructor(options: RaftOptions) {
    this.#state = new ReplicaState(options)
    this.#hasNoOp = options.hasNoOp
    assert(options.boot < BOOTS_MAX, 'the boot epoch fits into the numbers of reads')
    this.#nextRead = options.boot * READS_PER_BOOT
    this.#role = new Follower(this.#state, null)
  }

  // ---- what it is -------------------------------------------------------------------------------------

  get arc(): ArcId {
    return this.#state.arc
  }

  get role(): Role {
    return this.#role.role
  }

  get term(): Term {
    return this.#state.term
  }

  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex
  }

  get commitIndex(): LogIndex {
    return this.#state.commitIndex
  }

  get applicableIndex(): LogIndex {
    return this.#state.applicableIndex
  }

  get hasRecords(): boolean {
    return this.#state.hasRecords
  }

  get tailStart(): LogIndex {
    return this.#state.log.tailStart
  }

  /** Whom it takes for the leader of its term; null: nobody. */
  get leader(): Replica | null {
    if (this.#role instanceof Leader) return this.#state.self
    return this.#role instanceof Follower ? this.#role.leader : null
  }

  /** It leads, and has applied everything that was acknowledged before its term (E7). */
  get mayServe(): boolean {
    return this.#role instanceof Leader && this.#role.mayServe
  }

  /** When to call `onAlarm` at the latest; null: it waits for nothing but messages. */
  get alarmAt(): Instant | null {
    return this.#role.alarmAt
  }

  /** Up to where the host may cut its log. */
  get compactLimit(): LogIndex {
    const { appliedIndex } = this.#state
    if (!(this.#role instanceof Leader)) return appliedIndex
    return Math.min(appliedIndex, this.#role.replication.compactLimit)
  }

  /** For status pages, reconcilers and tests; not to be changed from outside. */
  get view(): Pick<
    ReplicaState,
    'config' | 'configs' | 'log' | 'vote' | 'self' | 'appliedIndex'
  > & {
    readonly standing: Standing
    readonly progress: Leader['replication'] | null
  } {
    const { config, configs, log, vote, self, appliedIndex, standing } = this.#state
    const progress = this.#role instanceof Leader ? this.#role.replication : null
    return { config, configs, log, vote, self, appliedIndex, standing, progress }
  }

  entry(index: LogIndex): LogEntry | undefined {
    return this.#state.log.entry(index)
  }

  // ---- time and messages ------------------------------------------------------------------------------

  /** Says what time it is, before any other input. */
  tick(now: Instant): void {
    assert(now >= this.#state.now, 'the monotonic clock went back')
    this.#state.now = now
  }

  onAlarm(): Outcome {
    return this.#carryOut(this.#role.onAlarm())
  }

  step(message: RaftMessage): Outcome {
    const wrong = misaddressed(this.#state, message)
    if (wrong !== null) {
      if (wrong.answer !== null) this.#state.sendAfterTerm(message.from, wrong.answer)
      return ignored(wrong.reason)
    }
    const { out } = this.#state.standing
    if (out !== null && message.kind !== 'removed') return ignored(out)
    if (isNotice(message)) return this.#onNotice(message)
    // Pre-votes compare the term that would come, and leave the one that is alone (E2).
    if (message.kind === 'pre-vote') {
      return answerPreVote(this.#state, message, this.#role.sight)
    }
    const isGrantedPreVote = message.kind === 'pre-vote-response' && message.granted
    if (!isGrantedPreVote) {
      if (message.term < this.#state.term) return this.#onOlderTerm(message)
      if (message.term > this.#state.term) {
        const bar = this.#newTermBar(message)
        if (bar !== null) return ignored(bar)
        this.#becomeFollowerOf(message)
      }
    }
    if (message.kind === 'vote') {
      return this.#carryOut(answerVote(this.#state, message, this.#role.sight))
    }
    if (isFromLeader(message)) this.#recognise(message.from)
    return this.#carryOut(this.#role.step(message))
  }

  /** Whoever stands by its leader does not even learn of a newer term from a candidate (E1). */
  #newTermBar(message: RaftMessage): string | null {
    if (message.kind !== 'vote' || message.transfer) return null
    return this.#role.sight.isSticky ? 'leader-alive' : null
  }

  /** Without an answer a leader of an older term would never learn of this one (E3). */
  #onOlderTerm(message: RaftMessage): Outcome {
    const { kind, from } = message
    const expectsAnswer = kind === 'vote' || kind === 'read-index' || isFromLeader(message)
    if (expectsAnswer) this.#state.sendAfterTerm(from, { kind: 'stale-term' })
    return ignored('older-term')
  }

  #becomeFollowerOf(message: RaftMessage): void {
    this.#endRole('newer-term')
    this.#state.adoptTerm(message.term)
    this.#role = new Follower(this.#state, isFromLeader(message) ? message.from : null)
  }

  /** Somebody leads the term that runs. */
  #recognise(leader: Replica): void {
    assert(!(this.#role instanceof Leader), 'R1: two replicas lead in one term')
    const known = this.leader
    assert(known === null || known.replicaId === leader.replicaId, 'R1: two leaders in one term')
    if (known === null) this.#becomeFollower(leader, 'leader-heard')
  }

  #onNotice(message: RaftMessage): Outcome {
    const { from } = message
    switch (message.kind) {
      case 'store-mismatch':
        return this.#role instanceof Leader
          ? this.#role.onStoreMismatch(from.replicaId)
          : ignored('not-leader')
      case 'removed':
        return this.#onRemoved(message)
      case 'too-old':
      case 'stale-generation':
        this.#state.tell({ kind: 'outdated', reason: message.kind })
        return DONE
      default:
        return ignored('no-notice')
    }
  }

  /** A committed configuration without this replica is proof for ever, however old it is (R2). */
  #onRemoved(message: Extract<RaftMessage, { readonly kind: 'removed' }>): Outcome {
    const { standing, self, generation } = this.#state
    const isProof = message.generation >= generation && isRemoved(message.config, self)
    if (!isProof) return ignored('no-proof')
    if (standing.isRemoved) return ignored('known')
    standing.becomeRemoved()
    this.#state.tell({ kind: 'removed', config: message.config })
    this.#becomeFollower(null, 'removed')
    return DONE
  }

  takeMessages(): readonly RaftMessage[] {
    if (this.#role instanceof Leader) this.#role.flush()
    return this.#state.takeMessages()
  }

  takeNews(): readonly News[] {
    return this.#state.takeNews()
  }

  // ---- durability and application -----------------------------------------------------------------------

  takeRecords(): GroupWrite {
    return this.#state.takeRecords()
  }

  persisted(mark: PersistMark): void {
    const hasOwnVote = this.#state.persisted(mark)
    if (hasOwnVote && this.#role instanceof Candidate) this.#carryOut(this.#role.ownVoteCast())
    if (this.#role instanceof Leader) this.#carryOut(this.#role.maybeCommit())
  }

  release(index: LogIndex): void {
    this.#state.release(index)
  }

  /** The arc's state machine has applied everything up to `index`. */
  noteApplied(index: LogIndex): void {
    this.#state.noteApplied(index)
  }

  /** The host's log has given up entries up to `index`. */
  compact(index: LogIndex): void {
    assert(index <= this.compactLimit, 'the log is kept while a snapshot is on its way')
    this.#state.compact(index)
  }

  // ---- what a host asks for -------------------------------------------------------------------------------

  /** Why it takes no proposal; null: it does. */
  get proposeBar(): ProposeRefusal | null {
    return this.#role instanceof Leader ? this.#role.proposeBar : 'not-leader'
  }

  /** The caller has asked `proposeBar`, or has bounds of its own. */
  propose(payload: string): LogIndex {
    const role = this.#role
    assert(role instanceof Leader, `arc ${this.arc}: a ${role.role} cannot propose`)
    return role.propose(payload)
  }

  /** @returns index of the configuration entry; it counts at once, and for good once committed */
  changeMembers(change: MemberChange & { readonly configEpoch: number }): ChangeRefusal | LogIndex {
    return this.#role instanceof Leader ? this.#role.changeMembers(change) : 'not-leader'
  }

  /** Hands leadership over; no proposal is taken until that succeeded or an election timeout is over. */
  transferTo(id: ReplicaId): TransferRefusal | null {
    return this.#role instanceof Leader ? this.#role.transferTo(id) : 'not-leader'
  }

  /** Asks for an index that makes a read linearizable: news tell it, under the number given here. */
  read(): { readonly read: number } | { readonly refused: string } {
    const read = this.#nextRead
    const bar = this.#role instanceof Candidate ? 'no-leader' : this.#readBar(read)
    if (bar !== null) return { refused: bar }
    this.#nextRead += 1
    return { read }
  }

  #readBar(read: number): string | null {
    const { out, isSuspect } = this.#state.standing
    if (out !== null) return out
    if (isSuspect) return 'tail-suspect'
    return this.#role instanceof Candidate ? 'no-leader' : this.#role.read(read)
  }

  campaign(): void {
    this.#carryOut({ kind: 'pre-campaign' })
  }

  /** D1: the oldest write waits for too long. Nobody follows, and nobody is elected by, a dead disk. */
  setDiskStalled(isStalled: boolean): void {
    this.#state.standing.diskStalled = isStalled
    if (this.#role instanceof Leader) this.#role.setDiskStalled(isStalled)
    else if (this.#role instanceof Follower && !isStalled) this.#role.postpone()
  }

  /** Why this replica must not lead, in words of the host; null: it may (U2). */
  setBlocked(reason: string | null): void {
    this.#state.standing.blocked = reason
  }

  offerSnapshot(to: ReplicaId, snapshot: Snapshot): string | null {
    return this.#role instanceof Leader ? this.#role.offerSnapshot(to, snapshot) : 'not-leader'
  }

  snapshotOffset(snapshotId: string, offset: number): Outcome {
    return this.#asFollower((role) => role.snapshotOffset(snapshotId, offset))
  }

  installSnapshot(snapshotId: string): Outcome {
    return this.#asFollower((role) => role.installSnapshot(snapshotId))
  }

  abortSnapshot(snapshotId: string): Outcome {
    return this.#asFollower((role) => role.abortSnapshot(snapshotId))
  }

  #asFollower(act: (role: Follower) => Outcome): Outcome {
    return this.#role instanceof Follower ? act(this.#role) : ignored('not-follower')
  }

  // ---- changes of role ------------------------------------------------------------------------------------

  #carryOut(outcome: Outcome): Outcome {
    switch (outcome.kind) {
      case 'done':
      case 'ignored':
        return outcome
      case 'follow':
        this.#becomeFollower(outcome.leader, outcome.reason)
        return outcome
      case 'pre-campaign':
      case 'campaign':
        return this.#becomeCandidate(outcome)
      case 'lead':
        this.#becomeLeader()
        return outcome
      default:
        return unreachable(outcome, 'outcome')
    }
  }

  #becomeFollower(leader: Replica | null, reason: string): void {
    this.#endRole(reason)
    this.#role = new Follower(this.#state, leader)
  }

  /** E6: whoever may not lead does not ask. */
  #becomeCandidate(how: Extract<Outcome, { kind: 'pre-campaign' | 'campaign' }>): Outcome {
    const { standing, config } = this.#state
    assert(!(this.#role instanceof Leader), `arc ${this.arc}: campaigns as leader`)
    const bar = standing.campaignBar(config)
    if (bar !== null) {
      if (!(this.#role instanceof Follower)) this.#becomeFollower(null, bar)
      return ignored(bar)
    }
    this.#endRole('campaign')
    const isPre = how.kind === 'pre-campaign'
    const candidate = new Candidate(this.#state, isPre ? 'pre-candidate' : 'candidate')
    this.#role = candidate
    const next = candidate.begin(how.kind === 'campaign' && how.transfer)
    return next.kind === 'done' ? how : this.#carryOut(next)
  }

  #becomeLeader(): void {
    assert(this.role === 'candidate', 'R1: only a candidate becomes leader')
    const leader = new Leader(this.#state)
    this.#role = leader
    leader.begin(this.#hasNoOp)
  }

  #endRole(reason: string): void {
    if (this.#role instanceof Leader) this.#role.end(reason)
    else if (this.#role instanceof Follower) this.#role.end()
  }
}

const READS_PER_BOOT = 4_294_967_296
const BOOTS_MAX = 2_097_152
