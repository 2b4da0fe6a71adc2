import type { ArcId, LogIndex, Term } from '../base/ids.js'
import type { LogEntry, LogRecord } from '../protocol/raft/log-record.js'

export type { EntryKind, LogEntry, LogRecord } from '../protocol/raft/log-record.js'

/**
 * The node's log: append-only, checksummed, segmented, shared by all arcs; one sync per batch
 * (design §5, protocol §5.1).
 */
export interface LogStore {
  /** What the log holds, found once at start. Big payloads stay on disk until `read`. */
  readonly recovered: RecoveredLog
  /**
   * Appends one batch. `done` is called once, in a later turn, after the bytes are durable. A failed
   * write or sync never calls back: it ends the process through `onFailure` (no retry, ever: the
   * kernel may have dropped the pages). One batch at a time.
   */
  append(records: readonly LogRecord[], done: () => void): void
  /** Entries of one arc, from … to (both included), from disk or the tail cache. */
  read(arc: ArcId, from: LogIndex, to: LogIndex): LogEntry[]
  /** The log need not hold this arc's entries up to `upTo` any more; segments are freed as that allows. */
  compact(arc: ArcId, upTo: LogIndex): void
  /** What `compact` said of this arc is taken back: all that is still there of it is needed. */
  keep(arc: ArcId): void
  /** While others lack room on the same disk, nothing is kept beyond what arcs need. */
  squeeze(isSqueezed: boolean): void
  /**
   * Reads the next piece of what nobody writes to any more, from the disk and in the background; then
   * calls `ready`, in a later turn, with what verifies it. One piece at a time. Rot that is found counts
   * from then on (`stats.rot`): its segment is given up as soon as nothing needs it.
   */
  scrubNext(ready: (verify: () => LogScrubSlice) => void): void
  readonly stats: LogStats
}

export interface RecoveredLog {
  readonly arcs: ReadonlyMap<ArcId, RecoveredArc>
  /** Arcs that a damaged place in the log may have touched, with what is known to be lost, in words. */
  readonly damaged: readonly LogDamage[]
  /** Altered bytes by which nothing is lost, in words. */
  readonly harmlessRot: readonly string[]
  /** True when a torn tail was cut: an ordinary power cut, nothing acknowledged was in it. */
  readonly tornTailCut: boolean
}

export interface RecoveredArc {
  readonly term: Term
  readonly vote: string | null
  /** Index of the oldest entry still held; entries before it were compacted (1: nothing was). */
  readonly firstIndex: LogIndex
  /** 0 when the arc has no entries. */
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
}

export interface LogDamage {
  readonly arcs: readonly ArcId[] | 'all'
  readonly segment: string
  readonly offset: number
  readonly reason: 'rotten-tail' | 'damage-in-the-middle'
  readonly message: string
}

/** A closed segment in which something is not what was written. */
export interface LogRot {
  /** Of the segment. */
  readonly number: number
  /** Segment, offset and what is wrong there, in words. */
  readonly message: string
}

/** What verifying one piece has brought. */
export interface LogScrubSlice {
  /** Segments that were ended by it. */
  readonly segments: number
  readonly bytes: number
  /** All closed segments were looked at; the next piece is of the first one again. */
  readonly isPassOver: boolean
  readonly rot: LogRot | null
}

export interface LogStats {
  readonly syncs: number
  readonly bytesWritten: number
  readonly segments: number
  /**
   * What is lacking to make a spare segment (disk space, file descriptors), in words; null: nothing.
   * Submissions are refused meanwhile.
   */
  readonly shortage: string | null
  /** True while a batch waits for the segment that is lacking: nothing is being written then. */
  readonly waitsForRoom: boolean
  /** True when another batch, an empty one too, may free segments or bring that nearer. */
  readonly isReleasing: boolean
  /** Damaged segments that cannot be given up yet, since something in them is still needed. */
  readonly rot: readonly LogRot[]
  /** Damaged segments that were given up in this life. */
  readonly rotGivenUp: number
}
