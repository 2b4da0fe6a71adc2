import type { Json } from '@gyre/jobs'

/** A record of the hash table. */
export interface DhtRecord {
  readonly key: string
  /** Hash ID of the key, 32 hex digits. */
  readonly id: string
  readonly value: Json
  /** Only rises for a key, also across deletes. */
  readonly version: number
  /** RFC 3339. */
  readonly updatedAt: string
}

/** Write only if the record is still this version, or only if there is none. */
export type DhtCondition = { readonly ifVersion: number } | { readonly ifAbsent: true }

export interface UpdateOptions {
  /** Tries in all, ≥ 1; default 20. */
  readonly attempts?: number
}

/**
 * Records as handlers see them. Whatever resolved is synced on the record's replicas. Each rejection is
 * a `ServiceError` whose code is the API's (`version_conflict`, `not_ready`, `payload_too_large` …); a
 * handler that lets it through is tried again by its step's policy where that can help.
 *
 * An attempt may be cut off between a write and its report, and then run again: make writes repeatable,
 * by `update`, or by a condition.
 */
export interface ServiceDht {
  get(key: string): Promise<DhtRecord | undefined>
  put(key: string, value: Json, condition?: DhtCondition): Promise<DhtRecord>
  /** Also when there is none. */
  delete(key: string, condition?: { readonly ifVersion: number }): Promise<void>
  /**
   * Reads, lets `change` make the new value of the old one (undefined: there is none), and writes it if
   * nobody else wrote meanwhile; else again, after a pause with jitter.
   *
   * @throws ServiceError `dht_contended`, retryable, after too many losses
   */
  update(
    key: string,
    change: (value: Json | undefined) => Json | Promise<Json>,
    options?: UpdateOptions,
  ): Promise<DhtRecord>
}
