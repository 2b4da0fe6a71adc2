import type { ArcId, Instant, LogIndex } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import type { GroupStart, PersistMark } from '../raft/group.js'
import type { LogRecord } from '../raft/log-record.js'
import type { LogScrubStatus } from './messages.js'

/** What an engine's host hands in and takes out (runtime/engine-runtime.ts). */
export interface EngineOptions {
  readonly self: EngineSelf
  /** Arcs of the ring; the system arc comes on top. A power of two. */
  readonly arcCount: number
  readonly recovered: ReadonlyMap<ArcId, EngineArcStart>
  readonly prng: Prng
}

export interface EngineSelf {
  readonly node: string
  readonly boot: number
}

/** What the log holds of an arc at start, and the arc time of its last entry (0: no entries). */
export interface EngineArcStart extends GroupStart {
  readonly firstIndex: LogIndex
  readonly lastTime: Instant
}

/** What the engine needs to know of the log store. */
export interface LogProgress {
  /** What the log lacks for its next segment, in words; null: nothing. */
  readonly shortage: string | null
  /** A batch is not written yet, for lack of that. */
  readonly waitsForRoom: boolean
  readonly syncs: number
  readonly bytesWritten: number
  /** Damaged segments that are still needed, each in words. */
  readonly rot: readonly { readonly number: number; readonly message: string }[]
  readonly rotGivenUp: number
}

/** What of the log was verified in the background in this life. */
export type LogScrubProgress = Omit<LogScrubStatus, 'damaged' | 'givenUp'>

export interface EngineNow {
  readonly mono: Instant
  readonly wall: Instant
}

export interface EngineBatch {
  readonly records: readonly LogRecord[]
  readonly marks: ReadonlyMap<ArcId, PersistMark>
  /** When the engine took each of its commands, monotonic milliseconds. */
  readonly takenAts: readonly Instant[]
}
