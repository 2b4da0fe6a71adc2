import { type JobPlan, type Json, PRIORITY_MAX } from '@gyre/jobs'
import type { Instant } from '../../base/ids.js'
import type { AttemptRef, IdempotencyStamp, LogLine } from './command.js'
import type { HistoryEvent } from './history.js'
import type { JobTimerKind } from './job-timers.js'
import type { JobStatus } from '../../base/job-statuses.js'
import type { JobCursor } from './query.js'
import type { AttemptRow } from './task.js'

/**
 * The rows of one arc: every key that the ledger uses, in key order. Numbers in keys are fixed-width
 * hex, so that key order is number order. A finished job is everything under its `j/` key, which is one
 * row if it is small, plus one `x/` row, one `q/` row, and one `k/` row if it was submitted with an
 * idempotency key.
 *
 * | key                                    | value          | there while |
 * |----------------------------------------|----------------|-------------|
 * | `#`                                    | ClockRow       | the arc has applied an entry |
 * | `a/BULK`                               | BulkRow        | a bulk action has begun here, for 30 days |
 * | `c/layout`                             | LayoutRow      | the rows have been brought up to this version's layout |
 * | `c/n/NAME`                             | CountsRow      | jobs of that definition: by status |
 * | `c/jobs`, `c/ready`                    | CountsRow      | ever: jobs by status, startable tasks by service and priority |
 * | `c/memos`                              | MemoSumRow     | a memoised result was ever kept |
 * | `d/RECORD_KEY_BYTES`                   | RecordRow      | the record exists |
 * | `e/RECORD_ID`                          | RecordValueRow | the record exists |
 * | `f/SERVICE`                            | RefusalRow     | tasks have waited for the service, and a node refuses it |
 * | `j/JOB`                                | JobRow         | ever (job-row.ts) |
 * | `j/JOB/a/STEP`, `j/JOB/b/STEP`         | AttemptsRow    | a step, its compensation had more than one attempt |
 * | `j/JOB/a/STEP/INDEX`, `j/JOB/b/…`      | AttemptsRow    | the same of an item |
 * | `j/JOB/c/STEP/CHUNK`                   | CollectedRow   | the step's items run, and their outputs may become one array |
 * | `j/JOB/g/FIRST_LINE`                   | LogRow         | it is among the newest 64 KiB of the job's log |
 * | `j/JOB/h/CHUNK`                        | HistoryRow     | it has begun; the first of a small job stands in its row |
 * | `j/JOB/i/STEP/INDEX`                   | ItemRow        | the item was started (job-row.ts) |
 * | `j/JOB/k/STEP/INDEX`                   | {}             | the item was started and is not done with (open-items.ts) |
 * | `j/JOB/m/STEP/INDEX`                   | {}             | the item is to be undone when its step is |
 * | `j/JOB/o/STEP`                         | OutputRow      | the step has succeeded, and job or output is not small |
 * | `j/JOB/p`                              | PlanRow        | the job is not small (job-parts.ts); never changes |
 * | `j/JOB/r`                              | OutputRow      | the job's own output template was resolved |
 * | `k/KEY`                                | SubmissionKeyRow | as long as the job, and a day after its end at least |
 * | `l/NODE/BOOT/ATTEMPT`                  | AttemptRef     | the attempt is leased or stopping |
 * | `m/KEY`, `w/EXPIRES_AT/KEY`            | MemoRow, {}    | a memoised result is kept |
 * | `n/NAME/CREATED_AT/JOB`                | {}             | ever: each job of a definition |
 * | `q/DUE_AT/j.JOB`, `q/DUE_AT/k.KEY`     | PurgeRow       | the job is finished or being removed; the key outlives its job |
 * | `q/DUE_AT/a.BULK`                      | PurgeRow       | as long as `a/BULK` |
 * | `q/0/f`                                | PurgeRow       | a refusal is still to be told to steps that wait already |
 * | `q/0/u`                                | PurgeRow       | rows are being brought up to this version's layout |
 * | `r/SERVICE/PRIORITY/READY_AT/TASK`     | ReadyRow       | the task, or some item of the step, may start |
 * | `s/SERVICE`                            | ServiceRow     | ever; system arc only |
 * | `t/DUE_AT/ATTEMPT`                     | TimerRow       | the attempt's timeout, its task's next try, is ahead |
 * | `t/DUE_AT/JOB/KIND`                    | TimerRow       | an instant of the job is ahead (job-timers.ts) |
 * | `u/KEY`, `v/EXPIRES_AT/KEY`            | CallKeyRow, {} | 24 h after the call |
 * | `x/STATUS/CREATED_AT/JOB`              | JobIndexRow    | ever: each job once, under its status |
 * | `y/LABEL_HASH/CREATED_AT/JOB`          | {}             | ever: each job once for each of its labels |
 */
export const keys = {
  clock: '#',
  bulk: (bulk: string): string => `a/${bulk}`,
  jobCounts: 'c/jobs',
  layout: 'c/layout',
  namedCounts: (name: string): string => `c/n/${name}`,
  readyCounts: 'c/ready',
  memoSum: 'c/memos',
  memo: (key: string): string => `m/${key}`,
  memoExpiries: 'w/',
  memoExpiry: (expiresAt: Instant, key: string): string => `w/${sortable(expiresAt)}/${key}`,
  record: (keyBytes: string): string => `d/${keyBytes}`,
  recordValue: (id: string): string => `e/${id}`,
  refusals: 'f/',
  refusal: (service: string): string => `f/${service}`,
  job: (id: string): string => `j/${id}`,
  attempts: (job: string, step: string, index: number | null): string =>
    `j/${job}/a/${step}${index === null ? '' : `/${sortable(index)}`}`,
  undoAttempts: (job: string, step: string, index: number | null): string =>
    `j/${job}/b/${step}${index === null ? '' : `/${sortable(index)}`}`,
  collectedOf: (job: string, step: string): string => `j/${job}/c/${step}/`,
  collected: (job: string, step: string, chunk: number): string =>
    `j/${job}/c/${step}/${sortable(chunk)}`,
  logsOf: (job: string): string => `j/${job}/g/`,
  logs: (job: string, from: number): string => `j/${job}/g/${sortable(from)}`,
  history: (job: string, chunk: number): string => `j/${job}/h/${sortable(chunk)}`,
  item: (job: string, step: string, index: number): string =>
    `j/${job}/i/${step}/${sortable(index)}`,
  openItems: (job: string, step: string): string => `j/${job}/k/${step}/`,
  itemsToUndo: (job: string, step: string): string => `j/${job}/m/${step}/`,
  output: (job: string, step: string): string => `j/${job}/o/${step}`,
  plan: (job: string): string => `j/${job}/p`,
  jobOutput: (job: string): string => `j/${job}/r`,
  submissionKey: (key: string): string => `k/${key}`,
  leasesOf: (node: string): string => `l/${node}/`,
  lease: (node: string, boot: number, attempt: string): string =>
    `l/${node}/${sortable(boot)}/${attempt}`,
  purgeJob: (dueAt: Instant, job: string): string => `q/${sortable(dueAt)}/j.${job}`,
  forgetBulk: (dueAt: Instant, bulk: string): string => `q/${sortable(dueAt)}/a.${bulk}`,
  forgetKey: (dueAt: Instant, key: string): string => `q/${sortable(dueAt)}/k.${key}`,
  tellingDue: (): string => `q/${sortable(0)}/f`,
  upgradeDue: (): string => `q/${sortable(0)}/u`,
  readyOf: (service: string): string => `r/${service}/`,
  readyAt: (service: string, priority: number): string =>
    `r/${service}/${PRIORITY_MAX - priority}/`,
  ready: (service: string, priority: number, readyAt: Instant, task: string): string =>
    `${keys.readyAt(service, priority)}${sortable(readyAt)}/${task}`,
  service: (name: string): string => `s/${name}`,
  timer: (dueAt: Instant, attempt: string): string => `t/${sortable(dueAt)}/${attempt}`,
  jobTimer: (dueAt: Instant, job: string, kind: JobTimerKind): string =>
    `t/${sortable(dueAt)}/${job}/${kind}`,
  callKey: (key: string): string => `u/${key}`,
  callKeyExpiry: (expiresAt: Instant, key: string): string => `v/${sortable(expiresAt)}/${key}`,
  jobsOf: (status: string): string => `x/${status}/`,
  jobsNamed: (name: string): string => `n/${name}/`,
  /** @param labelHash  of `labelName` */
  jobsLabelled: (labelHash: string): string => `y/${labelHash}/`,
  jobIndex: (status: string, createdAt: Instant, id: string): string =>
    `x/${status}/${placeOf(createdAt, id)}`,
}

/** Place of a job in every list: sorts by (createdAt, id). */
export function placeOf(createdAt: Instant, id: string): string {
  return `${sortable(createdAt)}/${id}`
}

/** What a label's hash is of: values may be long and hold any character, row keys may not. */
export function labelName(key: string, value: string): string {
  return `label\0${key}\0${value}`
}

/** The first key behind all keys that begin with `prefix`: no key holds U+00FF (UTF-8 has no such byte). */
export function endOf(prefix: string): string {
  return `${prefix}\u00ff`
}

const HEX_DIGITS = 13
const LOW_DIGITS = 7
const LOW_RANGE = 0x1000_0000

/**
 * A whole number, 0 to 2^52 − 1, as hex digits that sort as numbers do. In two parts: V8 writes a
 * number of up to 31 bits much faster than a larger one, and instants are in most keys.
 */
export function sortable(number: number): string {
  const high = Math.floor(number / LOW_RANGE)
  return hex(high, HEX_DIGITS - LOW_DIGITS) + hex(number - high * LOW_RANGE, LOW_DIGITS)
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}

/** The number that `sortable` wrote at `offset` of a key. */
export function sortableAt(key: string, offset: number): number {
  return Number.parseInt(key.slice(offset, offset + HEX_DIGITS), 16)
}

export interface ClockRow {
  /** Arc time: the stamp of the last applied entry. */
  readonly t: Instant
}

/** How far a bulk action came in this arc. */
export interface BulkRow {
  /** Of the last job that it has looked at; null: none yet, or there are no more. */
  readonly cursor: JobCursor | null
  readonly done: number
  /** Jobs in no state for it. */
  readonly skipped: number
  readonly failed: number
  readonly ended: boolean
}

export interface LayoutRow {
  /** Of the rows; see upgrade-rows.ts. */
  readonly version: number
  /** There while they are brought up to the newest. */
  readonly upgrade?: UpgradeProgress
}

export interface UpgradeProgress {
  readonly phase: 'keys' | 'jobs'
  /** Row key from which on keys, ID behind which jobs are still to be looked at. */
  readonly after: string
  /** True: jobs were never counted by name before. */
  readonly countsNames: boolean
}

/** Counts by name; names that count zero are absent. */
export interface CountsRow {
  readonly counts: Readonly<Record<string, number>>
}

export interface PlanRow {
  readonly plan: JobPlan
  readonly input: Json
  readonly traceparent?: string
}

export interface OutputRow {
  readonly output: Json
  /** True: the collected array was too large and `output` is `{count, failed, itemsUrl}` in its place. */
  readonly collapsed?: boolean
}

/** What a memoised task gave. */
export interface MemoRow {
  readonly output: Json
  /** In which it ran; that one may be gone by now. */
  readonly job: string
  /** UTF-8 bytes of the output as JSON. */
  readonly bytes: number
  readonly expiresAt: Instant
}

export interface MemoSumRow {
  /** Of all memos that are kept. */
  readonly bytes: number
}

/** Outputs of neighbouring items, null where there is none (yet). */
export interface CollectedRow {
  readonly outputs: readonly Json[]
}

/** Attempts before the newest one (which stands in the task itself), oldest first. */
export interface AttemptsRow {
  readonly attempts: readonly AttemptRow[]
}

/** What one report of an attempt brought of its log, less the lines that have made room since. */
export interface LogRow {
  /** Number of its first line in the job, from 1. */
  readonly from: number
  readonly bytes: number
  readonly step: string
  /** There for items. */
  readonly index?: number
  /** There for compensations. */
  readonly hook?: 'compensate'
  readonly attempt: number
  readonly lines: readonly LogLine[]
}

export interface HistoryRow {
  readonly events: readonly HistoryEvent[]
}

export interface SubmissionKeyRow {
  readonly job: string
  readonly fingerprint: string
  /** There once the job was removed: how it ended. */
  readonly purged?: { readonly status: JobStatus }
}

/** What is to be removed from `DUE_AT` on. */
export type PurgeRow =
  | { readonly kind: 'job'; readonly job: string }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'bulk'; readonly bulk: string }
  /** The next slice of an upgrade (upgrade-rows.ts): always due. */
  | { readonly kind: 'upgrade' }
  | TellingRow

/** The next slice of telling steps that they are refused (refused-steps.ts): always due. */
export interface TellingRow {
  readonly kind: 'tell-refused'
  readonly left: readonly RefusalToTell[]
}

export interface RefusalToTell {
  readonly service: string
  /** Key in the ready queue from which on tasks are still to be looked at. */
  readonly from: string
}

/** A service that a node refuses, and that tasks of this arc have waited for. */
export interface RefusalRow {
  readonly node: string
  readonly reason: string
  readonly text: string
  /** Equal for the same node, reason and text, and for no other. */
  readonly mark: string
}

/** A call on something that exists, made under an idempotency key. */
export interface CallKeyRow {
  readonly fingerprint: string
  readonly expiresAt: Instant
  /** That the call has made; absent: none. */
  readonly job?: string
}

/** What may be started: a single task, or the next items of a `forEach`. */
export interface ReadyRow {
  readonly job: string
  readonly step: string
  readonly hook: 'run' | 'compensate'
  /** Item to try again; null: the step's own task, or whichever item of the fan comes next. */
  readonly index: number | null
  /** How many tasks the row stands for, ≥ 1. */
  readonly count: number
}

export type TimerRow = AttemptTimerRow | JobTimerRow

export interface AttemptTimerRow {
  readonly kind: 'timeout' | 'retry'
  readonly attempt: AttemptRef
}

export interface JobTimerRow {
  readonly kind: JobTimerKind
  readonly job: string
}

export interface JobIndexRow {
  /** Name of the job definition, null for jobs without one. */
  readonly job: string | null
}

export interface ServiceRow {
  readonly offer: Json
}

/** What lists show of a record; the value has a row of its own, so that lists do not read it. */
export interface RecordRow {
  readonly id: string
  readonly version: number
  readonly updatedAt: Instant
  /** True when the last write created the record. */
  readonly created: boolean
  /** The last write's idempotency key, if it had one. */
  readonly writer?: IdempotencyStamp
}

export interface RecordValueRow {
  readonly key: string
  readonly value: Json
}
