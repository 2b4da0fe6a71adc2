import type { LogIndex } from '../../base/ids.js'
import type { Configuration, Replica, ReplicaId } from './configuration.js'
import type { Snapshot } from './messages.js'

/** What a group tells its host beside records and messages. */
export type News =
  /** Answer read `read` once everything up to `index` is applied here. */
  | { readonly kind: 'read-ready'; readonly read: number; readonly index: LogIndex }
  /** It may be asked again, and then has another number. */
  | { readonly kind: 'read-failed'; readonly read: number; readonly reason: string }
  /** This peer can be brought up to date only by a snapshot: `offerSnapshot`. */
  | { readonly kind: 'snapshot-needed'; readonly to: ReplicaId }
  /** Send its chunks from this offset (bytes) on. */
  | {
      readonly kind: 'snapshot-send'
      readonly to: Replica
      readonly snapshot: Snapshot
      readonly offset: number
    }
  /** Receive its chunks, tell `snapshotOffset` from time to time, and `installSnapshot` at the end. */
  | { readonly kind: 'snapshot-receive'; readonly from: Replica; readonly snapshot: Snapshot }
  /** Nobody waits for it any more, here as sender or as receiver. */
  | { readonly kind: 'snapshot-over'; readonly snapshotId: string; readonly reason: string }
  /** Proof that this voter's data is gone (W1, W4): replace it without waiting. */
  | { readonly kind: 'replica-lost'; readonly replicaId: ReplicaId; readonly reason: LossReason }
  /** This replica lost what it had acknowledged: keep that in mind durably (W4). */
  | { readonly kind: 'quarantined' }
  /** Proof that this replica is out for ever: its data may be destroyed, tombstone first (R2). */
  | { readonly kind: 'removed'; readonly config: Configuration }
  /** Somebody holds a later replica or generation of this arc: find out (R3). */
  | { readonly kind: 'outdated'; readonly reason: 'too-old' | 'stale-generation' }

export type LossReason = 'store-mismatch' | 'regressed'
