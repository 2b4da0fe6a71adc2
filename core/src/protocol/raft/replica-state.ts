import { assert } from '../../base/assert.js'
import type { ArcId, Duration, Instant, LogIndex, Term } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type Replica,
  type ReplicaId,
} from './configuration.js'
import { Configurations } from './configurations.js'
import { DurableQueue } from './durable-queue.js'
import type { GroupWrite, PersistMark } from './group.js'
import { type LogStart, RaftLog, type StoredEntries } from './log.js'
import type { EntryKind, LogEntry, LogRecord } from './log-record.js'
import type { Body, LogEnd, RaftMessage, Snapshot } from './messages.js'
import type { News } from './news.js'
import { Standing, type SuspectTail } from './standing.js'

/** All of a group's times, milliseconds; equal on all replicas of a ring. */
export interface Timing {
  readonly heartbeatMs: Duration
  readonly electionMsMin: Duration
  readonly electionMsMax: Duration
}

/** What a replica resumes from. */
export interface ReplicaStart extends LogStart {
  readonly term: Term
  readonly vote: ReplicaId | null
  /** Known to be committed; at least `base.index`. */
  readonly commitIndex: LogIndex
  /** Those that the log holds, and the one that counts at its base. */
  readonly configs: readonly { readonly index: LogIndex; readonly config: Configuration }[]
  readonly suspectTail?: SuspectTail
  readonly isQuarantined?: boolean
}

export interface ReplicaOptions {
  readonly arc: ArcId
  readonly generation: number
  readonly self: Replica
  readonly start: ReplicaStart
  readonly stored: StoredEntries
  readonly timing: Timing
  readonly prng: Prng
}

type Durable = { readonly kind: 'message'; readonly message: RaftMessage } | OwnVote
interface OwnVote {
  readonly kind: 'own-vote'
  readonly term: Term
}

/**
 * What a replica has whatever its role: term and vote, log, configuration, and what it wants from its
 * host. Roles (follower.ts, candidate.ts, leader.ts) work on it; raft.ts alone changes the role.
 *
 * V1  the term never falls; in one term a replica votes once (§5.2)
 * V2  commit ≤ last, and neither commit nor applied ever falls
 * V3  what depends on a write leaves only after its completion (durable-queue.ts)
 */
export class ReplicaState {
  readonly arc: ArcId
  readonly generation: number
  readonly self: Replica
  readonly log: RaftLog
  readonly configs: Configurations
  readonly standing: Standing
  readonly timing: Timing
  readonly prng: Prng
  now: Instant = 0
  #term: Term
  #vote: ReplicaId | null
  #commit: LogIndex
  #applied: LogIndex
  #uncommittedChars = 0
  #hardStateChanged = false
  #reset: Snapshot | null = null
  /** The write that carries the newest term and vote. */
  #hardStateWrite = 0
  readonly #queue = new DurableQueue<Durable>()
  #messages: RaftMessage[] = []
  #news: News[] = []

  constructor({ arc, generation, self, start, stored, timing, prng }: ReplicaOptions) {
    this.arc = arc
    this.generation = generation
    this.self = self
    this.timing = timing
    this.prng = prng
    this.log = new RaftLog(start, stored)
    this.configs = new Configurations(start.configs)
    this.standing = new Standing(self, {
      suspectTail: start.suspectTail ?? null,
      isQuarantined: start.isQuarantined ?? false,
    })
    this.#term = start.term
    this.#vote = start.vote
    this.#commit = start.commitIndex
    this.#applied = start.commitIndex
    assert(this.log.base <= this.#commit, 'V2: what the log has given up is committed')
    assert(this.#commit <= this.log.lastIndex, 'V2: commit ≤ last')
  }

  get term(): Term {
    return this.#term
  }

  get vote(): ReplicaId | null {
    return this.#vote
  }

  get commitIndex(): LogIndex {
    return this.#commit
  }

  /** Committed and durable here: what may be applied. */
  get applicableIndex(): LogIndex {
    return Math.min(this.#commit, this.log.durable)
  }

  get appliedIndex(): LogIndex {
    return this.#applied
  }

  get config(): Configuration {
    return this.configs.latest
  }

  get logEnd(): LogEnd {
    return { lastIndex: this.log.lastIndex, lastTerm: this.log.lastTerm }
  }

  get uncommittedChars(): number {
    return this.#uncommittedChars
  }

  get hasRecords(): boolean {
    return this.#hardStateChanged || this.#reset !== null || this.log.hasUnstable
  }

  /** An instant at which an election is due, if nothing is heard before. */
  drawElectionAt(): Instant {
    const { electionMsMin, electionMsMax } = this.timing
    return this.now + this.prng.between(electionMsMin, electionMsMax)
  }

  // ---- hard state -----------------------------------------------------------------------------------

  adoptTerm(term: Term): void {
    assert(term > this.#term, 'V1: the term never falls')
    this.#term = term
    this.#vote = null
    this.#hardStateChanged = true
  }

  voteFor(candidate: ReplicaId): void {
    assert(this.#vote === null || this.#vote === candidate, 'V1: one vote in one term')
    if (this.#vote === candidate) return
    this.#vote = candidate
    this.#hardStateChanged = true
  }

  // ---- log ------------------------------------------------------------------------------------------

  /** Of a command (`kind` undefined) without a detour: this is done for every job. */
  append(payload: string, kind?: EntryKind): LogIndex {
    const index = this.log.lastIndex + 1
    const entry: LogEntry =
      kind === undefined
        ? { index, term: this.#term, payload }
        : { index, term: this.#term, payload, kind }
    this.log.push(entry)
    this.#uncommittedChars += payload.length
    return index
  }

  appendConfig(config: Configuration): LogIndex {
    const index = this.append(encodeConfiguration(config), 'config')
    this.configs.append(index, config)
    return index
  }

  /** Entries of a leader that go on where this log ends. */
  appendForeign(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.log.push(entry)
      this.#uncommittedChars += entry.payload.length
      if (entry.kind === 'config') {
        this.configs.append(entry.index, decodeConfiguration(entry.payload))
      }
    }
  }

  truncateFrom(index: LogIndex): void {
    assert(index > this.#commit, 'V2: a committed entry is never cut off')
    for (let at = index; at <= this.log.lastIndex; at += 1) this.#forgetChars(at)
    this.log.truncateFrom(index)
    this.configs.truncateFrom(index)
    this.#withdraw(index)
  }

  /** Entries that are replaced before they were written must not be acknowledged by the next write. */
  #withdraw(from: LogIndex): void {
    this.#queue.discard(
      (item) =>
        item.kind === 'message' &&
        item.message.kind === 'append-accepted' &&
        item.message.match >= from,
    )
  }

  advanceCommit(index: LogIndex): void {
    assert(index >= this.#commit, 'V2: commit never falls')
    assert(index <= this.log.lastIndex, 'V2: commit ≤ last')
    for (let at = this.#commit + 1; at <= index; at += 1) this.#forgetChars(at)
    this.#commit = index
  }

  /** Entries of earlier lives are not in memory, and were never counted. */
  #forgetChars(index: LogIndex): void {
    this.#uncommittedChars -= this.log.entry(index)?.payload.length ?? 0
  }

  noteApplied(index: LogIndex): void {
    assert(index >= this.#applied, 'V2: applied never falls')
    assert(index <= this.applicableIndex, 'V2: only what is committed and durable is applied')
    this.#applied = index
  }

  release(index: LogIndex): void {
    assert(index <= this.applicableIndex, 'V2: releases what is not committed')
    this.log.release(index)
  }

  compact(index: LogIndex): void {
    assert(index <= this.#applied, 'the log keeps what is not applied')
    this.log.compact(index)
    this.configs.forgetBefore(index)
  }

  /** A snapshot takes the place of the whole log. */
  reset(snapshot: Snapshot): void {
    assert(snapshot.index > this.#commit, 'V2: a snapshot takes nothing back')
    this.#withdraw(this.#commit + 1)
    this.log.reset(snapshot.index, snapshot.term)
    this.configs.reset(snapshot.index, snapshot.config)
    this.#commit = snapshot.index
    this.#applied = snapshot.index
    this.#uncommittedChars = 0
    this.#reset = snapshot
  }

  // ---- what the host is asked for ---------------------------------------------------------------------

  /** Needs nothing durable: appends, heartbeats, rejections that promise nothing. */
  send(to: Replica, body: Body): void {
    this.#messages.push(this.#message(to, body))
  }

  /** Leaves once everything that was appended or decided so far is durable. */
  sendDurable(to: Replica, body: Body): void {
    const write = this.hasRecords ? this.#queue.next : this.#queue.lastTaken
    this.#sendAfter(write, to, body)
  }

  /** Leaves once term and vote are durable; entries may still be on their way. */
  sendAfterTerm(to: Replica, body: Body): void {
    const write = this.#hardStateChanged ? this.#queue.next : this.#hardStateWrite
    this.#sendAfter(write, to, body)
  }

  /** This replica's vote for itself counts by the same rule as others' votes. */
  castOwnVote(): void {
    assert(this.#hardStateChanged, 'V3: a vote is to be written')
    this.#queue.add(this.#queue.next, { kind: 'own-vote', term: this.#term })
  }

  #sendAfter(write: number, to: Replica, body: Body): void {
    const message = this.#message(to, body)
    if (this.#queue.isDurable(write)) this.#messages.push(message)
    else this.#queue.add(write, { kind: 'message', message })
  }

  #message(to: Replica, body: Body): RaftMessage {
    assert(to.replicaId !== this.self.replicaId, 'nobody writes to itself')
    const { arc, generation, self: from, term } = this
    return { arc, generation, from, to, term, ...body }
  }

  takeMessages(): readonly RaftMessage[] {
    const taken = this.#messages
    if (taken.length > 0) this.#messages = []
    return taken
  }

  tell(news: News): void {
    this.#news.push(news)
  }

  takeNews(): readonly News[] {
    const taken = this.#news
    if (taken.length > 0) this.#news = []
    return taken
  }

  takeRecords(): GroupWrite {
    const { arc } = this
    const records: LogRecord[] = []
    const write = this.#queue.take()
    if (this.#reset !== null) {
      records.push({ kind: 'reset', arc, index: this.#reset.index, term: this.#reset.term })
      this.#reset = null
    }
    if (this.#hardStateChanged) {
      const vote = this.#vote === null ? null : String(this.#vote)
      records.push({ kind: 'hard-state', arc, term: this.#term, vote })
      this.#hardStateChanged = false
      this.#hardStateWrite = write
    }
    if (this.log.hasUnstable) {
      records.push({ kind: 'append', arc, entries: this.log.takeUnstable() })
    }
    const { lastIndex, lastTerm } = this.log
    return { records, mark: { term: this.#term, lastIndex, lastTerm, write } }
  }

  /**
   * The write is durable: messages that waited for it may leave, whatever has happened since: they
   * are only late. What it attests of the log counts in its own term alone; a later write attests the
   * rest.
   *
   * @returns true when it carried this replica's vote for itself in the term that still runs
   */
  persisted(mark: PersistMark): boolean {
    let hasOwnVote = false
    for (const item of this.#queue.complete(mark.write)) {
      if (item.kind === 'message') this.#messages.push(item.message)
      else if (item.term === this.#term) hasOwnVote = true
    }
    if (mark.term === this.#term) this.log.noteDurable(mark.lastIndex, mark.lastTerm)
    return hasOwnVote
  }

  /** Everybody else in the latest configuration. */
  peers(): readonly Replica[] {
    const { voters, learners } = this.config
    return [...voters, ...learners].filter(({ replicaId }) => replicaId !== this.self.replicaId)
  }
}
