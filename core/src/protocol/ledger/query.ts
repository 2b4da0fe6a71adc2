import type { IdempotencyStamp } from './command.js'

/**
 * Every way to read a ledger. A query names its arc; lists and counts are asked of all arcs at once
 * (queries/all-arcs.ts), which adds `missing`, the number of arcs that cannot answer.
 * An answer is a Reply with result `found` and one of these bodies (JSON, shapes of api.md):
 *
 * | query               | body                                                          | refusals |
 * |---------------------|---------------------------------------------------------------|----------|
 * | `job`, `watch-job`  | the job                                                       | `job_not_found` |
 * | `jobs`              | `{items: [job without input, output and steps], next: JobCursor or null}`, newest first | |
 * | `job-counts`        | `{counts: {STATUS: count}, next: CountsPosition or null}`     | |
 * | `plan`              | `{plan, input}` as they are stored                            | `job_not_found` |
 * | `submission`        | the job that it made, or what is left of it, as `replayed` or `replayed-final`; null: none was made | `idempotency_key_reused` |
 * | `history`, `follow-job` | `{items: [{seq, at, type, …}], historyTruncated, more, ended}`, asked with `notes` also `notes` and `activity` | `job_not_found` |
 * | `logs`              | `{items: [{seq, at, level, message, step, attempt, …}], dropped, more}` | `job_not_found` |
 * | `explain`           | `{summary, reasons: [{code, text, …}], more}`                 | `job_not_found` |
 * | `items`             | `{items: [{index, status, output, error, …}], more}`          | `job_not_found`, `step_not_found` |
 * | `step`              | one step of the job, whole                                    | `job_not_found`, `step_not_found` |
 * | `record`            | `{key, id, version, value, updatedAt}`                        | `record_not_found` |
 * | `records`           | `{items: [{key, id, version, updatedAt}]}`, by key bytes      | |
 * | `peek`              | `{kind, content}`; kind `job`, `task`, `record` or `nothing`  | |
 * | `services`          | `{items: [ServiceOffer]}`, by name                            | |
 * | `figures`           | `{jobs: {STATUS: count}, ready: {SERVICE: count}}`; of all arcs LedgerFigures (queries/figures.ts) | |
 *
 * `more` says that entries follow behind the last one; `records` has more at most when it returns
 * `limit` items. Of all arcs, any query without a merge of its own gives `{bodies: [body of each]}`.
 */
export type Query =
  | { readonly kind: 'job'; readonly id: string }
  | { readonly kind: 'plan'; readonly id: string }
  /** Whether a submission under this key was stored before. */
  | { readonly kind: 'submission'; readonly stamp: IdempotencyStamp }
  /** Answers once the job is final; `unwatch` with the same request ID takes it back. */
  | { readonly kind: 'watch-job'; readonly id: string }
  | JobsQuery
  | JobCountsQuery
  /** Events with seq > `after`. */
  | {
      readonly kind: 'history'
      readonly id: string
      readonly after: number
      readonly limit: number
    }
  /** Lines with seq > `after`, of one step if it is named. */
  | {
      readonly kind: 'logs'
      readonly id: string
      readonly step?: string
      readonly after: number
      readonly limit: number
    }
  /** Items with index > `after`; −1 for the beginning. */
  | {
      readonly kind: 'items'
      readonly id: string
      readonly step: string
      readonly after: number
      readonly limit: number
    }
  | { readonly kind: 'step'; readonly id: string; readonly step: string }
  | FollowQuery
  | ExplainQuery
  | { readonly kind: 'record'; readonly key: string }
  /** Keys behind `after` in UTF-8 byte order that begin with `prefix`. */
  | {
      readonly kind: 'records'
      readonly prefix: string
      readonly after?: string
      readonly limit: number
    }
  | { readonly kind: 'peek'; readonly id: string }
  | { readonly kind: 'services' }
  | { readonly kind: 'figures' }

/** Conditions that must all hold. */
export interface JobFilter {
  readonly status?: string
  /** Name of the job definition. */
  readonly job?: string
  /** Each of these labels, with this value. */
  readonly labels?: Readonly<Record<string, string>>
  /** createdAt ≥ this, milliseconds since 1970. */
  readonly createdAfter?: number
  /** createdAt < this, milliseconds since 1970. */
  readonly createdBefore?: number
}

export interface JobsQuery extends JobFilter {
  readonly kind: 'jobs'
  readonly before?: JobCursor
  readonly limit: number
}

/**
 * As `history`, but answers only once there is something behind `after`, or the job is final;
 * `unwatch` with the same request ID takes it back.
 */
export interface FollowQuery {
  readonly kind: 'follow-job'
  readonly id: string
  readonly after: number
  readonly limit: number
  /** Also once running attempts have told something more often than this; absent: not for that. */
  readonly notes?: number
}

export interface ExplainQuery {
  readonly kind: 'explain'
  readonly id: string
  /** What live nodes offer, by service. */
  readonly offers: Readonly<Record<string, OfferedSlots>>
}

export interface OfferedSlots {
  readonly slots: number
  /** Why no attempt can ever start there; absent: some can. */
  readonly refused?: string
}

/** Newest first by (createdAt, id): resume behind this one. */
export interface JobCursor {
  readonly createdAt: number
  readonly id: string
  /** True: with this one, which was not looked at yet. */
  readonly inclusive?: true
}

export interface JobCountsQuery extends JobFilter {
  readonly kind: 'job-counts'
  readonly from?: CountsPosition
}

/** How far a count of all arcs came. */
export interface CountsPosition {
  readonly arc: number
  readonly status: string
  readonly before: JobCursor
}
