import type { ArcId, LogIndex, Term } from '../../base/ids.js'
import type { LogEntry, LogRecord } from './log-record.js'

/**
 * One replica of one arc's Raft group, as the node drives it: sans-I/O, stepped from outside.
 *
 * The node's loop keeps the order that safety rests on (protocol.md §4.3): it takes the records,
 * makes them durable, tells the group by `persisted`, and only then does anything that depends on
 * them. An entry counts as committed by the same durable callback on one voter as on three.
 */
export interface Group {
  readonly arc: ArcId
  readonly role: Role
  readonly term: Term
  /** Index of the last entry in the log, durable or not; 0: none. */
  readonly lastIndex: LogIndex
  /** 0 ≤ commitIndex ≤ lastIndex; never falls. */
  readonly commitIndex: LogIndex
  /** Committed *and* durable here: what the ledger may be given. Never falls. */
  readonly applicableIndex: LogIndex
  /** True when records wait to be taken. */
  readonly hasRecords: boolean
  /** Asks for leadership of a new term. */
  campaign(): void
  /** Appends an entry. Only a leader may: asserted. */
  propose(payload: string): LogIndex
  /** What has to become durable, in order; with the mark to hand back once it is. */
  takeRecords(): GroupWrite
  /** The records taken with this mark are durable. Marks come back in the order of taking. */
  persisted(mark: PersistMark): void
  /** Index of the oldest entry in memory; older ones must be read from the log. */
  readonly tailStart: LogIndex
  /** An entry from memory; undefined when only the log still has it. */
  entry(index: LogIndex): LogEntry | undefined
  /** Entries up to `index` were handed to the ledger and may leave memory. */
  release(index: LogIndex): void
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader'

export interface GroupWrite {
  readonly records: readonly LogRecord[]
  readonly mark: PersistMark
}

/** What a write attests: in this term, a log that ended with this entry. */
export interface PersistMark {
  readonly term: Term
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** Counts the writes of this life, from 1. */
  readonly write: number
}

/** What a group resumes from: its part of the recovered log. */
export interface GroupStart {
  readonly term: Term
  readonly vote: string | null
  readonly lastIndex: LogIndex
  /** Of the newest entry that there was; 0: there was none. */
  readonly lastTerm: Term
}
