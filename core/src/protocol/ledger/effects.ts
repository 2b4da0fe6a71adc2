import type { AbortReason } from '../node/messages.js'

/**
 * What an applied entry causes outside the ledger's rows. Effects of an entry that is applied again
 * after a crash are the same; whether they are carried out is decided by who holds the lease
 * (ledger-node.ts).
 */
export type LedgerEffect =
  | StartedAttempt
  | {
      readonly kind: 'abort'
      readonly node: string
      readonly boot: number
      readonly attempt: string
      readonly reason: AbortReason
    }
  /** The job's timeline has new events, or a running attempt told something: whoever follows it is told. */
  | { readonly kind: 'job-told'; readonly job: string }
  /** The job has become final: whoever waits for it is answered. */
  | { readonly kind: 'job-final'; readonly job: string }

/** An attempt was started under a lease of this node's life; see Dispatch for the members. */
export interface StartedAttempt {
  readonly kind: 'started'
  readonly node: string
  readonly boot: number
  readonly attempt: string
  readonly service: string
  readonly hook: 'run' | 'compensate'
  readonly job: string
  readonly task: string
  readonly step: string
  readonly item: number | null
  readonly number: number
  readonly fence: number
  readonly idempotencyKey: string
  readonly timeoutMs: number
  readonly traceparent?: string
  readonly next: readonly string[]
  readonly body: string
}
