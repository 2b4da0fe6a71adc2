/**
 * What a command or a query gave, as an expected outcome of pure code: never an HTTP status (that is
 * chosen in api/error-mapping.ts).
 */
export type Reply =
  | {
      readonly ok: true
      /** What happened; the API maps it to a status (created, replayed, accepted …). */
      readonly result: ReplyResult
      /** The answer's body, ready-made JSON text in the shape of api.md; absent: no body. */
      readonly body?: string
      /** Version of the record concerned, for `ETag`. */
      readonly version?: number
      /** True: this is the answer to an earlier write of a record under the same idempotency key. */
      readonly replayed?: true
    }
  | {
      readonly ok: false
      /** Stable snake_case, listed in core/docs/reference/errors.md. */
      readonly code: string
      readonly message: string
      /** Extra members of the problem (for example `currentVersion`). */
      readonly details?: Readonly<Record<string, unknown>>
    }

export type ReplyResult =
  | 'found'
  | 'accepted'
  /** The same idempotency key and request was answered before; this is that answer. */
  | 'replayed'
  /** As `replayed`, and the job has ended since. */
  | 'replayed-final'
  | 'created'
  | 'updated'
  | 'deleted'
  | 'done'

/** What applying a command gave, before anybody asks for the body: most answers are read by nobody. */
export type Applied =
  | {
      readonly ok: true
      readonly result: ReplyResult
      readonly replayed?: true
      /** What the answer's body shows; absent: no body. */
      readonly shows?:
        | { readonly kind: 'job'; readonly id: string }
        /** A job that was removed: all that is left of it. */
        | { readonly kind: 'purged-job'; readonly id: string; readonly status: string }
        | { readonly kind: 'record'; readonly key: string }
        /** How far a bulk action came. */
        | { readonly kind: 'bulk'; readonly id: string }
    }
  | Extract<Reply, { readonly ok: false }>
