/**
 * Every way to read a ledger. A query names its arc; lists are asked of every arc and merged.
 * An answer is a Reply with result `found` and one of these bodies (JSON, shapes of api.md):
 *
 * | query               | body                                                          | refusals |
 * |---------------------|---------------------------------------------------------------|----------|
 * | `job`, `watch-job`  | the job                                                       | `job_not_found` |
 * | `jobs`              | `{items: [job without input, output and steps]}`, newest first | |
 * | `history`           | `{items: [{seq, at, type, …}], historyTruncated, more}`       | `job_not_found` |
 * | `explain`           | `{summary, reasons: [{code, text, …}], more}`                 | `job_not_found` |
 * | `items`             | `{items: [{index, status, output, error, …}], more}`          | `job_not_found`, `step_not_found` |
 * | `record`            | `{key, id, version, value, updatedAt}`                        | `record_not_found` |
 * | `records`           | `{items: [{key, id, version, updatedAt}]}`, by key bytes      | |
 * | `peek`              | `{kind, content}`; kind `job`, `task`, `record` or `nothing`  | |
 * | `services`          | `{items: [ServiceOffer]}`, by name                            | |
 * | `counts`            | `{jobs: {STATUS: count}, ready: {SERVICE: count}}`            | |
 *
 * `more` says that entries follow behind the last one; `jobs` and `records` have more at most when
 * they return `limit` items.
 */
export type Query =
  | { readonly kind: 'job'; readonly id: string }
  /** Answers once the job is final; `unwatch` with the same request ID takes it back. */
  | { readonly kind: 'watch-job'; readonly id: string }
  | JobsQuery
  /** Events with seq > `after`. */
  | {
      readonly kind: 'history'
      readonly id: string
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
  | { readonly kind: 'counts' }

export interface JobsQuery {
  readonly kind: 'jobs'
  readonly status?: string
  /** Name of the job definition. */
  readonly job?: string
  /** createdAt ≥ this, milliseconds since 1970. */
  readonly createdAfter?: number
  /** createdAt < this, milliseconds since 1970. */
  readonly createdBefore?: number
  readonly before?: JobCursor
  readonly limit: number
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

/** Newest first by (createdAt, id): resume strictly behind this one. */
export interface JobCursor {
  readonly createdAt: number
  readonly id: string
}
