import type { ArcId, LogIndex, Term } from '../../base/ids.js'

/** What a replica asks the node's log to keep. The log knows nothing of what an entry means. */
export type LogRecord =
  /** Raft's hard state; durable before any vote or acknowledgement that depends on it. */
  | {
      readonly kind: 'hard-state'
      readonly arc: ArcId
      readonly term: Term
      readonly vote: string | null
    }
  /** Entries with rising indexes; any older entry of the arc at or above the first index is replaced. */
  | { readonly kind: 'append'; readonly arc: ArcId; readonly entries: readonly LogEntry[] }
  /** A snapshot stands for everything up to `index`: the arc's entries are gone, the next is `index + 1`. */
  | {
      readonly kind: 'reset'
      readonly arc: ArcId
      readonly index: LogIndex
      readonly term: Term
    }

export interface LogEntry {
  readonly index: LogIndex
  readonly term: Term
  /** Opaque to the log: JSON text. */
  readonly payload: string
  /** Absent: a command for the arc's state machine. The others are Raft's own. */
  readonly kind?: EntryKind
}

/** `no-op`: the beginning of a term; `config`: who belongs to the group (configuration.ts). */
export type EntryKind = 'no-op' | 'config'
