import type { JobError, Json } from '@gyre/jobs'
import type { ArcId, Instant, LogIndex, Term } from '../../base/ids.js'
import type { HistogramFigures } from '../../base/histogram.js'
import type { RefusedService } from '../ledger/command.js'
import type { Reply } from '../ledger/outcome.js'
import type { RefusalCode } from './refusals.js'

/**
 * What passes between the threads of one node. The engine is the hub of a star: API, ledger and
 * services talk to it and to nobody else. Each message is a small head and, where there is a bulky
 * part, one string `body` that is handed on without being parsed.
 *
 * Inside a link order is kept and nothing is lost: a thread that ends ends the node (the services
 * thread excepted, whose supervisor reports what it lost).
 */

/**
 * Chosen by whoever asks, unique in one life of the node; 0: nobody waits for the answer. Inside engine and
 * ledger those of the services are negative.
 */
export type RequestId = number

// ---- API → engine --------------------------------------------------------------------------------

export type FromApi =
  /** `body`: JSON text of a Command. `needs`: services of the tasks that it may make ready at once. */
  | {
      readonly kind: 'propose'
      readonly request: RequestId
      readonly arc: ArcId
      readonly needs: readonly string[]
      /** True: refused with `overloaded` when the node is full; completions and clean-up never are. */
      readonly sheddable: boolean
      readonly body: string
    }
  /** `body`: JSON text of a Query. `arc` null asks every arc of the ring; their answers come as one. */
  | {
      readonly kind: 'query'
      readonly request: RequestId
      readonly arc: ArcId | null
      readonly body: string
    }
  | { readonly kind: 'unwatch'; readonly request: RequestId; readonly arc: ArcId }
  | { readonly kind: 'status'; readonly request: RequestId }
  /** Graceful end: no new proposals, running attempts aborted, then `stopped`. */
  | { readonly kind: 'stop' }

// ---- engine → API --------------------------------------------------------------------------------

export type ToApi =
  /** `body` is the reply's body, if it has one. */
  | {
      readonly kind: 'reply'
      readonly request: RequestId
      /** Arc that answered; 0 where all were asked. */
      readonly arc: ArcId
      readonly reply: ReplyHead
      readonly body?: string
    }
  /** Answer to `status`, and sent unasked when `serving` becomes true. `body`: JSON of EngineStatus. */
  | { readonly kind: 'status'; readonly request: RequestId; readonly body: string }
  /** What the services thread offers now. `body`: JSON of OffersBody. */
  | { readonly kind: 'offers'; readonly body: string }
  | { readonly kind: 'stopped' }
  /** Something stands still, the rest goes on: an operator must act. */
  | { readonly kind: 'alarm'; readonly code: string; readonly message: string }
  /** What an alarm with this code told of has ended by itself. */
  | { readonly kind: 'alarm-over'; readonly code: string; readonly message: string }
  /** The node cannot go on; the process prints `message` and exits with code 1. */
  | { readonly kind: 'fatal'; readonly code: string; readonly message: string }

/** A Reply without its body, which travels beside it. */
export type ReplyHead =
  | Omit<Extract<Reply, { readonly ok: true }>, 'body'>
  | Extract<Reply, { readonly ok: false }>

// ---- engine → ledger -----------------------------------------------------------------------------

export type ToLedger =
  /** A committed entry, in index order per arc. `body`: JSON text of EntryBody. */
  | {
      readonly kind: 'entry'
      readonly arc: ArcId
      readonly term: Term
      readonly index: LogIndex
      readonly request: RequestId
      /** There for what an earlier life has written: its events were counted then. */
      readonly replayed?: true
      readonly body: string
    }
  | {
      readonly kind: 'query'
      readonly request: RequestId
      /** null: all arcs of the ring. */
      readonly arc: ArcId | null
      readonly body: string
    }
  | { readonly kind: 'unwatch'; readonly request: RequestId }
  /** The rows of a damaged arc go: its log comes again from its first entry on. */
  | { readonly kind: 'rebuild'; readonly arc: ArcId }

/** What the ledger thread takes beside the ledger's own messages. */
export type ToLedgerThread =
  | ToLedger
  /** The log's disk is full: write out and checkpoint everything, so that the log can be cut. */
  | { readonly kind: 'checkpoint' }
  /** Say `signed`: nothing was heard for long. */
  | { readonly kind: 'sign' }
  /** Write out and checkpoint everything, then answer `closed`. */
  | { readonly kind: 'close' }

// ---- ledger → engine -----------------------------------------------------------------------------

/** Ready tasks of one service and priority in one arc. */
export interface ReadyTasks {
  readonly count: number
  /** Since when the first of them has been ready, arc time. */
  readonly since: Instant
}

/** Ready tasks of one arc, by service and priority (ledger/ready-name.ts). */
export type ReadyQueues = Readonly<Record<string, ReadyTasks>>

export type FromLedger =
  /** First message of a life: applied index and arc time of every arc that has rows. */
  | {
      readonly kind: 'loaded'
      readonly applied: readonly (readonly [ArcId, LogIndex, Instant])[]
      /** Arcs whose rows cannot be trusted: what was found, and the applied index, 0 if not known. */
      readonly damaged?: readonly DamagedArc[]
    }
  | {
      readonly kind: 'reply'
      readonly request: RequestId
      readonly arc: ArcId
      readonly reply: ReplyHead
      readonly body?: string
    }
  | Dispatch
  /** The attempt shall stop: its signal is aborted; its end is still to be reported. */
  | { readonly kind: 'abort'; readonly attempt: string; readonly reason: AbortReason }
  /**
   * Sent when they changed: ready tasks by service and priority (ledger/ready-name.ts), how many and
   * since when the first of them, and when the next timer is due (both arc time).
   */
  | {
      readonly kind: 'demand'
      readonly arc: ArcId
      readonly ready: ReadyQueues
    }
  | { readonly kind: 'timer'; readonly arc: ArcId; readonly at: Instant | null }
  /** What a memoised task gave, for the arc of its key. `body`: JSON of the command. */
  | { readonly kind: 'keep-memo'; readonly arc: ArcId; readonly body: string }
  /** Leases of an arc's running attempts, after `term-start` was applied. */
  | { readonly kind: 'leases'; readonly arc: ArcId; readonly workers: readonly LeaseHolder[] }
  /** Services that a node refuses as far as the arc knows, after `term-start` was applied; not sent: none. */
  | { readonly kind: 'refusals'; readonly arc: ArcId; readonly refused: readonly KnownRefusal[] }
  /** All entries up to `index` are applied; their dispatches and replies stand before this message. */
  | { readonly kind: 'applied'; readonly arc: ArcId; readonly index: LogIndex }
  /** The arc met an entry that this version cannot apply, or its rows have rotted: it applies nothing any more. */
  | {
      readonly kind: 'stopped-arc'
      readonly arc: ArcId
      readonly index: LogIndex
      readonly code: ArcStop['code']
      readonly message: string
    }
  /** The log need not reach back further than this for these arcs (a checkpoint has completed). */
  | { readonly kind: 'durable'; readonly applied: readonly (readonly [ArcId, LogIndex])[] }

/** What the ledger thread sends beside the ledger's own messages. */
export type FromLedgerThread =
  | FromLedger
  /** The disk has no room for the state: rows stay in memory, new work is refused until it has. */
  | { readonly kind: 'state-full'; readonly full: boolean }
  /** The scrub of the state store goes on: rows verified and passes ended in this life of the node. */
  | { readonly kind: 'scrubbed'; readonly rows: number; readonly passes: number }
  /** Answer to `sign`: everything before it was taken. */
  | { readonly kind: 'signed' }
  | { readonly kind: 'closed' }

export type DamagedArc = readonly [arc: ArcId, found: string, applied: LogIndex]

/** Why an arc applies nothing any more; an operator must act. */
export interface ArcStop {
  /** An entry that is not known; or rows that have rotted. */
  readonly code: 'apply_stopped' | 'arc_unavailable'
  readonly message: string
}

export type AbortReason = 'timed_out' | 'cancelled' | 'lease_lost' | 'stopping'

export interface KnownRefusal extends RefusedService {
  readonly node: string
}

export interface LeaseHolder {
  readonly node: string
  readonly boot: number
}

/** An attempt to run now. Sent only when its start is committed and applied. */
export interface Dispatch {
  readonly kind: 'dispatch'
  readonly arc: ArcId
  /** Log index of the entry that started it. */
  readonly index: LogIndex
  /** The attempt's ID, opaque to the worker (ledger/attempt-id.ts). */
  readonly attempt: string
  readonly service: string
  readonly hook: 'run' | 'compensate'
  readonly job: string
  readonly task: string
  readonly step: string
  readonly item: number | null
  /** Attempt number, from 1. */
  readonly number: number
  /** Rises among the attempts and compensations of one job (design §7). */
  readonly fence: number
  readonly idempotencyKey: string
  readonly timeoutMs: number
  readonly traceparent?: string
  /** Services of the steps that may become ready when this one succeeds: a hint for grants. */
  readonly next: readonly string[]
  /** There for memoised steps: what tells this work from all other, and for which version. */
  readonly memo?: { readonly key: string; readonly version: string }
  /** JSON of the outcome that the same work had before; absent: none is known. */
  readonly recalled?: string
  /** JSON text: `{"input":…}`, for a service's own compensation hook `{"input":…,"output":…}`. */
  readonly body: string
}

// ---- engine → services supervisor, and back ------------------------------------------------------

export type ToServices =
  | Dispatch
  /** Answer to a handler's `propose` or `query`. */
  | {
      readonly kind: 'reply'
      readonly request: RequestId
      readonly reply: ReplyHead
      readonly body?: string
    }
  | { readonly kind: 'abort'; readonly attempt: string; readonly reason: AbortReason }

export type FromServices =
  /** What a handler writes or reads; `request` ≥ 1 is the services' own, `body` as of the API's. */
  | {
      readonly kind: 'propose' | 'query'
      readonly request: RequestId
      readonly arc: ArcId
      readonly body: string
    }
  /** The services thread is up (again). `body`: JSON of OffersBody. Until then it has no slots. */
  | {
      readonly kind: 'offers'
      readonly slots: Readonly<Record<string, number>>
      readonly totalSlots: number
      /** Absent: nothing but slots is short. */
      readonly capacity?: CapacityOffer
      readonly body: string
    }
  /** A handler of this service has kept the shared thread from turning for a second. Said once per silence. */
  | { readonly kind: 'blocked'; readonly service: string }
  /** The thread is gone (blocked or crashed) and will be back with new `offers`. */
  | { readonly kind: 'withdrawn' }
  /** What a running attempt has to tell before its end. */
  | ({ readonly kind: 'noted'; readonly attempt: string } & AttemptNews)
  /**
   * An attempt has settled, or can never settle any more. `body`: JSON of its AttemptOutcome; beside it
   * what was not told before.
   */
  | ({ readonly kind: 'ended'; readonly attempt: string; readonly body: string } & AttemptNews)

/** What an attempt tells beside its outcome, as JSON of LogLines and of its newest AttemptProgress. */
export interface AttemptNews {
  readonly logs?: string
  /** Lines older than those in `logs` that made room on their way; absent: none. */
  readonly logsDropped?: number
  readonly progress?: string
}

/**
 * What the node has of each resource, and what one attempt of each service takes of it. In whole
 * thousandths, so that sums are exact.
 */
export interface CapacityOffer {
  readonly has: Readonly<Record<string, number>>
  readonly takes: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** What the loaded plugins offer. */
export interface OffersBody {
  readonly services: readonly ServiceOffer[]
  readonly jobs: readonly JobOffer[]
  readonly failures: readonly PluginFailure[]
  /** Services that can never run here, whatever else runs; absent: none. */
  readonly refused?: Readonly<Record<string, Refusal>>
}

/** Why a node does not take a service's attempts. */
export interface Refusal {
  readonly reason: 'cpu' | 'memory' | 'units' | 'labels'
  readonly text: string
}

/** A service as the rest of the node knows it; functions stay in the services thread. */
export interface ServiceOffer {
  readonly name: string
  readonly version: string
  readonly description?: string
  /** JSON Schemas; absent: anything goes. */
  readonly input?: Json
  readonly output?: Json
  readonly timeoutMs: number
  /** The service's own retry policy, as written (RetrySpec), used where a step gives none. */
  readonly retry?: Json
  readonly concurrency: number
  readonly compensates: boolean
  /** For how long its results are shared, milliseconds; absent: not, unless a step says so. */
  readonly memoizeMs?: number
  /** What one attempt takes of its node; absent: nothing that is counted. */
  readonly requires?: {
    readonly cpu?: number
    readonly memoryMb?: number
    readonly units?: Readonly<Record<string, number>>
  }
  /** Only nodes with all of these labels run it; absent: any. */
  readonly labels?: Readonly<Record<string, string>>
  /** `thread`: runs in a thread of its own; absent: on the event loop that services share. */
  readonly isolation?: 'thread'
}

/** A declared job: its submission's `steps` and `output`, as written. */
export interface JobOffer {
  readonly name: string
  readonly description?: string
  readonly input?: Json
  readonly steps: Json
  readonly output?: Json
}

/** A plugin module that did not load, or a definition in it that is not valid. */
export interface PluginFailure {
  /** File name inside its plugin folder, never an absolute path. */
  readonly file: string
  readonly error: JobError
}

// ---- status ---------------------------------------------------------------------------------------

export interface ServiceLoad {
  /** Attempts that run here, or are about to. */
  readonly running: number
  /** Ready tasks of this node's arcs that have no slot. */
  readonly waiting: number
  /** What this node lacks for one more; null: nothing. */
  readonly shortage: 'busy' | 'cpu' | 'memory' | 'units' | null
  /** How often its handlers have blocked the shared thread in this life of the node. */
  readonly blocked: number
  /** Slots that the node grants, and how many of them an attempt could have now. */
  readonly granted: number
  readonly free: number
  /** For how long the oldest task has waited that no slot is on its way to, ms; 0: none waits. */
  readonly oldestMs: number
}

/** Events of this life that the engine has counted. */
export interface EngineFigures {
  /** Commands of each log batch. */
  readonly batchCommands: HistogramFigures
  /** From handing a batch to the log until it is synced. */
  readonly syncSeconds: HistogramFigures
  /** From taking a command until it is synced, waiting for the batch before included. */
  readonly commitSeconds: HistogramFigures
  /** Commands and reads that were not taken, by code. */
  readonly refusals: Readonly<Record<RefusalCode, number>>
}

export interface LogScrubStatus {
  readonly segments: number
  readonly bytes: number
  readonly passes: number
  /** When the last pass over all closed segments ended; null: none has in this life. */
  readonly lastPassAt: Instant | null
  /** Damaged segments that are still needed, and those that were given up in this life. */
  readonly damaged: number
  readonly givenUp: number
}

/** Of one unit; cores, MiB, or whatever it counts. */
export interface ResourceLoad {
  readonly has: number
  readonly used: number
}

/** What the engine tells about itself; the API makes /readyz and /v1/ring of it. */
export interface EngineStatus {
  readonly serving: boolean
  /** Why not serving yet, in words; null when serving. */
  readonly reason: string | null
  readonly stopping: boolean
  readonly pendingProposals: number
  readonly runningAttempts: number
  readonly figures: EngineFigures
  /** Per service that is offered here or has something to do. */
  readonly services: Readonly<Record<string, ServiceLoad>>
  /** Per unit (`cpu`, `memoryMb`, own names) what attempts may take, and what running ones do. */
  readonly resources: Readonly<Record<string, ResourceLoad>>
  readonly syncs: number
  readonly bytesWritten: number
  /** For how long the disk has not answered, milliseconds; 0: it does. */
  readonly stalledMs: { readonly log: number; readonly state: number }
  /** What of the log was verified in the background, and what was found. */
  readonly logScrub: LogScrubStatus
  /** Rows of the state store that were verified in the background, and whole passes over it. */
  readonly scrub: { readonly rows: number; readonly passes: number }
  /** Arcs that stand still, and why. */
  readonly stopped: readonly (readonly [ArcId, ArcStop['code']])[]
  /** [arc, term, last index, commit index, applied index] per arc. */
  readonly arcs: readonly (readonly [ArcId, Term, LogIndex, LogIndex, LogIndex])[]
}
