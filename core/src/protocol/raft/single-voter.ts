import { assert } from '../../base/assert.js'
import type { ArcId, LogIndex, Term } from '../../base/ids.js'
import type { Group, GroupStart, GroupWrite, PersistMark, Role } from './group.js'
import type { LogEntry, LogRecord } from './log-record.js'

/**
 * A group whose only voter is this replica. Its job: terms, the order vote → entries → commit, and
 * the tail of the log in memory. Not its job: replication and elections among several voters.
 *
 * S1  a vote for itself is durable before it leads (so that no two lives lead in one term)
 * S2  commitIndex rises only by `persisted` of an entry of its own term (Raft §5.4.2)
 * S3  0 ≤ released ≤ commitIndex ≤ lastIndex
 */
export class SingleVoterGroup implements Group {
  readonly arc: ArcId
  readonly #self: string
  #role: Role = 'follower'
  #term: Term
  #vote: string | null
  #lastIndex: LogIndex
  #commitIndex: LogIndex = 0
  #voteRecord: LogRecord | null = null
  /** Entries appended and not yet taken for the log. */
  #unstable: LogEntry[] = []
  /** Entries in memory: `#tail[i]` has index `#tailStart + i`. */
  #tail: LogEntry[] = []
  #tailStart: LogIndex

  constructor(arc: ArcId, self: string, start: GroupStart) {
    this.arc = arc
    this.#self = self
    this.#term = start.term
    this.#vote = start.vote
    this.#lastIndex = start.lastIndex
    this.#tailStart = start.lastIndex + 1
  }

  get role(): Role {
    return this.#role
  }

  get term(): Term {
    return this.#term
  }

  get vote(): string | null {
    return this.#vote
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex
  }

  get applicableIndex(): LogIndex {
    return this.#commitIndex
  }

  get tailStart(): LogIndex {
    return this.#tailStart
  }

  get hasRecords(): boolean {
    return this.#voteRecord !== null || this.#unstable.length > 0
  }

  campaign(): void {
    assert(this.#role === 'follower', `arc ${this.arc}: campaigns as ${this.#role}`)
    this.#role = 'candidate'
    this.#term += 1
    this.#vote = this.#self
    this.#voteRecord = { kind: 'hard-state', arc: this.arc, term: this.#term, vote: this.#self }
  }

  propose(payload: string): LogIndex {
    assert(this.#role === 'leader', `arc ${this.arc}: a ${this.#role} cannot propose`)
    this.#lastIndex += 1
    const entry: LogEntry = { index: this.#lastIndex, term: this.#term, payload }
    this.#unstable.push(entry)
    this.#tail.push(entry)
    return entry.index
  }

  takeRecords(): GroupWrite {
    const records: LogRecord[] = []
    if (this.#voteRecord !== null) records.push(this.#voteRecord)
    if (this.#unstable.length > 0) {
      records.push({ kind: 'append', arc: this.arc, entries: this.#unstable })
    }
    this.#voteRecord = null
    this.#unstable = []
    return {
      records,
      mark: { term: this.#term, lastIndex: this.#lastIndex, lastTerm: this.#term, write: 0 },
    }
  }

  persisted(mark: PersistMark): void {
    if (mark.term !== this.#term) return
    if (this.#role === 'candidate') this.#becomeLeader()
    const lastDurable = this.#termOf(mark.lastIndex)
    if (lastDurable === this.#term && mark.lastIndex > this.#commitIndex) {
      this.#commitIndex = mark.lastIndex
    }
    assert(this.#commitIndex <= this.#lastIndex, 'S3: commit index beyond the log')
  }

  entry(index: LogIndex): LogEntry | undefined {
    return index < this.#tailStart ? undefined : this.#tail[index - this.#tailStart]
  }

  release(index: LogIndex): void {
    assert(index <= this.#commitIndex, 'S3: releases what is not committed')
    const count = index - this.#tailStart + 1
    if (count <= 0) return
    this.#tail = this.#tail.slice(count)
    this.#tailStart = index + 1
  }

  #becomeLeader(): void {
    assert(this.#vote === this.#self, 'S1: leads without its own vote')
    this.#role = 'leader'
  }

  /** Term of an entry in memory; 0 for entries of earlier lives, which commit with the first own one. */
  #termOf(index: LogIndex): Term {
    return this.entry(index)?.term ?? 0
  }
}
