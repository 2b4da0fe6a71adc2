/** Every way to read a ledger. A query names its arc; lists are asked of every arc and merged. */
export type Query =
  | { readonly kind: 'job'; readonly id: string }
  /** Answers once the job is final; `unwatch` with the same request ID takes it back. */
  | { readonly kind: 'watch-job'; readonly id: string }
  | { readonly kind: 'jobs'; readonly status?: string; readonly job?: string; readonly createdAfter?: number; readonly createdBefore?: number; readonly before?: JobCursor; readonly limit: number }
  | { readonly kind: 'history'; readonly id: string; readonly after: number; readonly limit: number }
  | { readonly kind: 'items'; readonly id: string; readonly step: string; readonly after: number; readonly limit: number }
  | { readonly kind: 'record'; readonly key: string }
  | { readonly kind: 'records'; readonly prefix: string; readonly after?: string; readonly limit: number }
  | { readonly kind: 'peek'; readonly id: string }
  | { readonly kind: 'services' }

/** Newest first by (createdAt, id): resume strictly behind this one. */
export interface JobCursor {
  readonly createdAt: number
  readonly id: string
}
