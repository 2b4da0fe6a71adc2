import type { AbortReason, Dispatch } from '../node/messages.js'
import type { KeepMemoCommand } from './command.js'

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
  /** A memoised task has succeeded under a lease of this node's life: its result may be shared. */
  | {
      readonly kind: 'memoize'
      readonly node: string
      readonly boot: number
      readonly memo: KeepMemoCommand
    }
  /** The job's timeline has new events, or a running attempt told something: whoever follows it is told. */
  | { readonly kind: 'job-told'; readonly job: string }
  /** The job has become final: whoever waits for it is answered. */
  | { readonly kind: 'job-final'; readonly job: string }

/** An attempt was started under a lease of this node's life. */
export interface StartedAttempt {
  readonly kind: 'started'
  readonly node: string
  readonly boot: number
  /** Without what the same work gave before. */
  readonly dispatch: Dispatch
}
