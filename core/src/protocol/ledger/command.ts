import type { JobError, JobPlan, Json, JsonObject } from '@gyre/jobs'
import type { Duration, Instant } from '../../base/ids.js'
import type { JobFilter } from './query.js'

/**
 * Every way to change a ledger. A command carries whatever is random or timed; `apply` draws nothing
 * of its own. Each kind has its file in `commands/`. Commands are stored in the log for years:
 * fields are added, never re-used.
 */
export type Command =
  | SubmitCommand
  | StartCommand
  | NoteAttemptCommand
  | FinishAttemptCommand
  | FireCommand
  | CancelCommand
  | RetryCommand
  | SkipCommand
  | FailCommand
  | ResubmitCommand
  | ActCommand
  | DeleteJobCommand
  | LoseWorkerCommand
  | PutRecordCommand
  | DeleteRecordCommand
  | KeepMemoCommand
  | OfferServicesCommand
  | NoteRefusalsCommand
  | TermStartCommand

/** What the leader stamps on an entry beside the command; the only clock and dice of `apply`. */
export interface EntryStamp {
  /** Arc time, milliseconds since 1970; never less than in the entry before. */
  readonly t: Instant
  /** Seed of the entry's random choices (retry jitter), 0 … 2^32 − 1. */
  readonly s: number
  /** Slots that this entry may use to start ready tasks after its command was applied. */
  readonly g?: Grant
}

/** An entry's payload in the log: `JSON.stringify` of this, command last. */
export interface EntryBody extends EntryStamp {
  readonly c: Command
}

/**
 * Free slots of one node, reserved by the leader for one entry (design §7, credits). Apply starts at
 * most `slots[service]` ready tasks of a service and reports what it did not use.
 */
export interface Grant {
  readonly node: string
  /** Boot epoch of that node: a lease belongs to one life of it. */
  readonly boot: number
  readonly slots: Readonly<Record<string, number>>
}

/** Key under which a repeated request is recognised; 32 hex digits of the hash of the client's key. */
export interface IdempotencyStamp {
  readonly key: string
  /** Hash of the canonical request, 32 hex digits: same key, other fingerprint is refused. */
  readonly fingerprint: string
}

export interface SubmitCommand {
  readonly kind: 'submit'
  readonly id: string
  readonly plan: JobPlan
  readonly input: Json
  /** 0 … 9, 9 first; absent: PRIORITY_DEFAULT. */
  readonly priority?: number
  /** Absent: none. */
  readonly labels?: Readonly<Record<string, string>>
  /** Counted from the entry's arc time; never beside `runAt`. */
  readonly delayMs?: Duration
  /** Nothing starts before this arc time. */
  readonly runAt?: Instant
  /** By this arc time the first attempt must have started. */
  readonly startBy?: Instant
  /** How long the job may take, from when it may start. */
  readonly timeoutMs?: Duration
  /** Accepted and kept; placement uses it. */
  readonly affinity?: string
  /** How long the job is kept once it has finished, milliseconds; absent: RETENTION_MS_DEFAULT. */
  readonly retentionMs?: number
  readonly idempotency?: IdempotencyStamp
  /** Past this arc time nothing is stored (`too_late`). */
  readonly notAfter?: Instant
  readonly traceparent?: string
}

/** Starts ready tasks with the entry's grant and changes nothing else. */
export interface StartCommand {
  readonly kind: 'start'
}

/** What a running attempt has to tell before its end. Only the current attempt's note is accepted. */
export interface NoteAttemptCommand {
  readonly kind: 'note-attempt'
  readonly attempt: AttemptRef
  /** What its handler logged since its last note, oldest first; absent: nothing. */
  readonly logs?: readonly LogLine[]
  /** Lines older than these that made room on their way; absent: none. */
  readonly logsDropped?: number
  /** How far it is; absent: as before. */
  readonly progress?: AttemptProgress
}

/** How far an attempt is, in its handler's words. */
export interface AttemptProgress {
  /** By the wall clock of the node that runs it. */
  readonly at: Instant
  /** Both finite, ≥ 0; the handler's own unit. */
  readonly done: number
  readonly total?: number
  readonly note?: string
}

/** The report of an attempt's end. Only the current attempt's report is accepted. */
export interface FinishAttemptCommand {
  readonly kind: 'finish-attempt'
  readonly attempt: AttemptRef
  readonly outcome: AttemptOutcome
  /** Under which its output may be shared, if it has succeeded; absent: it may not. */
  readonly memo?: string
  /** What its handler logged and no note has brought, oldest first; absent: nothing. */
  readonly logs?: readonly LogLine[]
  /** Lines older than these that made room on their way; absent: none. */
  readonly logsDropped?: number
  /** How far it came; absent: as the last note said. */
  readonly progress?: AttemptProgress
}

export interface LogLine {
  /** By the wall clock of the node that ran the attempt. */
  readonly at: Instant
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: JsonObject
}

/** One try to run a task, or its compensation: the fencing token of design §6. */
export interface AttemptRef {
  readonly job: string
  readonly run: number
  readonly step: string
  /** Item index of a `forEach` step; null otherwise. */
  readonly index: number | null
  readonly hook: 'run' | 'compensate'
  /** Numbered from 1, going on across runs. */
  readonly attempt: number
}

export type AttemptOutcome =
  | {
      readonly kind: 'succeeded'
      readonly output: Json
      /** It did not run: its output is what the same work gave in this job. */
      readonly memoizedFrom?: string
    }
  /** `unknown`: not its handler says so, it was cut off half-way; maybe it had done its work. */
  | { readonly kind: 'failed'; readonly error: JobError; readonly unknown?: true }
  /** It was stopped by its own timeout; maybe it had done its work. */
  | { readonly kind: 'timed_out' }
  /** It was aborted on request and has settled since. */
  | { readonly kind: 'cancelled' }
  /** Its process or thread is gone; `charged` counts against the lost budget. */
  | { readonly kind: 'lost'; readonly charged: boolean }
  /** It reached its worker and none of its code ran, nor will: as if it had never been handed out. */
  | { readonly kind: 'not_started' }

/** Time passed: handles what is due at the entry's arc time, oldest first, bounded: timers, then removals. */
export interface FireCommand {
  readonly kind: 'fire'
}

export interface CancelCommand {
  readonly kind: 'cancel'
  readonly id: string
  readonly compensate: boolean
  readonly idempotency?: IdempotencyStamp
}

export interface RetryCommand {
  readonly kind: 'retry'
  readonly id: string
  readonly idempotency?: IdempotencyStamp
}

export interface SkipCommand {
  readonly kind: 'skip'
  readonly id: string
  readonly step: string
  readonly reason: string
  readonly idempotency?: IdempotencyStamp
}

export interface FailCommand {
  readonly kind: 'fail'
  readonly id: string
  readonly reason: string
  readonly idempotency?: IdempotencyStamp
}

export interface ResubmitCommand {
  readonly kind: 'resubmit'
  /** Of the new job; in the arc of the source. */
  readonly id: string
  readonly source: string
  /** Step to begin with; absent: from the start. */
  readonly from?: string
  /** Absent: the source's. */
  readonly input?: Json
  readonly idempotency?: IdempotencyStamp
  readonly traceparent?: string
}

/** The next slice of a bulk action on the jobs of this arc. */
export interface ActCommand {
  readonly kind: 'act-on-jobs'
  /** The job that does it: names the action and what was done of it. */
  readonly bulk: string
  readonly action: 'cancel' | 'retry' | 'delete'
  readonly filter: JobFilter
  /** Jobs to look at in this entry, ≤ BULK_JOBS_PER_ENTRY; absent: that many. */
  readonly limit?: number
}

export interface DeleteJobCommand {
  readonly kind: 'delete-job'
  readonly id: string
  readonly idempotency?: IdempotencyStamp
}

/** Proof that a node's earlier lives are over: ends every attempt leased by a boot epoch < `beforeBoot`. */
export interface LoseWorkerCommand {
  readonly kind: 'lose-worker'
  readonly node: string
  readonly beforeBoot: number
}

export interface PutRecordCommand {
  readonly kind: 'put-record'
  readonly key: string
  /** Hash ID of the key, 32 hex digits. */
  readonly id: string
  readonly value: Json
  readonly condition?: RecordCondition
  readonly idempotency?: IdempotencyStamp
}

export interface DeleteRecordCommand {
  readonly kind: 'delete-record'
  readonly key: string
  readonly id: string
  readonly condition?: RecordCondition
  readonly idempotency?: IdempotencyStamp
}

export type RecordCondition =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }

/** In the arc of its key: what a memoised task gave, for others of the same service, version and input. */
export interface KeepMemoCommand {
  readonly kind: 'keep-memo'
  /** 32 hex digits (memo-key.ts). */
  readonly key: string
  /** In which it ran. */
  readonly job: string
  readonly output: Json
  readonly forMs: Duration
}

/** In the system arc: services that a node offers, remembered for ever (names and schemas). */
export interface OfferServicesCommand {
  readonly kind: 'offer-services'
  readonly services: readonly Json[]
}

/**
 * A node says no to services that tasks of this arc wait for, or has stopped saying so. What is not named
 * is as it was.
 */
export interface NoteRefusalsCommand {
  readonly kind: 'note-refusals'
  readonly node: string
  readonly refused: readonly RefusedService[]
  /** Services that it does not refuse any more. */
  readonly lifted: readonly string[]
}

export interface RefusedService {
  readonly service: string
  /** `cpu`, `memory`, `units` or `labels`; a later version may know more. */
  readonly reason: string
  /** What the node lacks, and what to do about it. */
  readonly text: string
}

/** First entry of a leader's term (Raft's no-op). Lets arc time jump forward over a downtime. */
export interface TermStartCommand {
  readonly kind: 'term-start'
}
