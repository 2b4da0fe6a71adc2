import type { ArcId, LogIndex, Term } from '../../base/ids.js'
import type { Configuration, Replica } from './configuration.js'
import type { LogEntry } from './log-record.js'

/**
 * What replicas of one arc say to each other. Any of it may be lost, doubled, delayed and overtaken;
 * the table with all of them, who sends them and what must be durable before, stands in
 * core/docs/protocol/raft.md.
 */
export type RaftMessage = Header & Body

/** Who speaks to whom. A message that names another store, generation or replica is not for us (W1). */
export interface Header {
  readonly arc: ArcId
  /** Of the arc: raised by unsafe recovery. */
  readonly generation: number
  readonly from: Replica
  readonly to: Replica
  /** The sender's own; in a vote request the one that it campaigns for. */
  readonly term: Term
}

export type Body = Election | Replication | Reading | SnapshotTransfer | Notice

/** What a candidate says of its log: the election restriction compares it (§5.4.1). */
export interface LogEnd {
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
}

type Election =
  /** Would you vote for me? Changes nothing at the receiver (dissertation §9.6). */
  | ({ readonly kind: 'pre-vote'; readonly candidateTerm: Term } & LogEnd)
  | {
      readonly kind: 'pre-vote-response'
      readonly candidateTerm: Term
      readonly granted: boolean
    }
  /** `transfer`: the leader itself asked for it, so nobody stands by that leader. */
  | ({ readonly kind: 'vote'; readonly transfer: boolean } & LogEnd)
  | { readonly kind: 'vote-response'; readonly granted: boolean }
  | { readonly kind: 'timeout-now' }

type Replication =
  | {
      readonly kind: 'append'
      /** Counts the leader's appends to this peer in its term: tells late answers from lost entries (W4). */
      readonly number: number
      readonly prevIndex: LogIndex
      readonly prevTerm: Term
      readonly entries: readonly LogEntry[]
      readonly commit: LogIndex
    }
  | { readonly kind: 'append-accepted'; readonly number: number; readonly match: LogIndex }
  | {
      readonly kind: 'append-rejected'
      readonly number: number
      readonly prevIndex: LogIndex
      /** The newest place up to `prevIndex` whose term is not above the leader's there; its term. */
      readonly hintIndex: LogIndex
      readonly hintTerm: Term
    }
  /** `commit` is at most what this peer is known to hold. `position`: of reads (read-index.ts). */
  | { readonly kind: 'heartbeat'; readonly commit: LogIndex; readonly position: number }
  | { readonly kind: 'heartbeat-response'; readonly position: number }
  /** An answer to whoever speaks in an older term: `term` is news for it. */
  | { readonly kind: 'stale-term' }
  /** You have lost entries that you acknowledged to me: vote and acknowledge no more (W4). */
  | { readonly kind: 'regressed'; readonly match: LogIndex }

type Reading =
  | { readonly kind: 'read-index'; readonly read: number }
  /** `index` null: not now; ask again under another number. */
  | { readonly kind: 'read-index-response'; readonly read: number; readonly index: LogIndex | null }

/** A consistent state of the arc at `index`, instead of the entries up to there. */
export interface Snapshot {
  /** Unique among the snapshots of its sender's life. */
  readonly snapshotId: string
  readonly index: LogIndex
  readonly term: Term
  /** The configuration at `index`. */
  readonly config: Configuration
}

/** The chunks between `begin` and `done` are the host's; these say where it may go on. */
type SnapshotTransfer =
  | { readonly kind: 'snapshot-begin'; readonly snapshot: Snapshot }
  /** The receiver holds everything before `offset` (bytes). */
  | { readonly kind: 'snapshot-offset'; readonly snapshotId: string; readonly offset: number }
  | { readonly kind: 'snapshot-done'; readonly snapshotId: string; readonly index: LogIndex }
  | { readonly kind: 'snapshot-abort'; readonly snapshotId: string }

/** Answers to what was not for us. They are never answered themselves. */
type Notice =
  /** The data folder that you mean is not here any more. */
  | { readonly kind: 'store-mismatch' }
  | { readonly kind: 'stale-generation' }
  /** The replica that you mean is gone: this one came after it. `config` is a hint, no proof (R2). */
  | { readonly kind: 'too-old'; readonly config: Configuration }
  /** You are out of a *committed* configuration: that is proof for ever (R2). */
  | { readonly kind: 'removed'; readonly config: Configuration }

export function isNotice(message: RaftMessage): message is Header & Notice {
  switch (message.kind) {
    case 'store-mismatch':
    case 'stale-generation':
    case 'too-old':
    case 'removed':
      return true
    default:
      return false
  }
}

/** True for what only the leader of its term sends. */
export function isFromLeader(message: RaftMessage): boolean {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'snapshot-begin':
      return true
    default:
      return false
  }
}
