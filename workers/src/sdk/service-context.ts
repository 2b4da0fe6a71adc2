import type { Json } from '@gyre/jobs'
import type { ServiceDht } from './service-dht.js'

/**
 * What a handler knows about the attempt that it runs, and what it can use meanwhile.
 *
 * An attempt may run twice in the outside world (its first try may be cut off after the work was
 * done): give `idempotencyKey` to whoever can recognise a repeat, and `fence` to whoever can compare.
 */
export interface ServiceContext {
  /** ID of the job, 32 hex digits. */
  readonly job: string
  /** ID of the task: the same in all its attempts. */
  readonly task: string
  /** Name of the step in its job; `main` in a job of one service. */
  readonly step: string
  /** Index of the item in a `forEach` step, from 0; null elsewhere. */
  readonly item: number | null
  /** Number of this attempt, from 1, going on across runs of the job. */
  readonly attempt: number
  readonly hook: 'run' | 'compensate'
  /** Rises among the attempts and compensations of one job; comparable in a database column. */
  readonly fence: number
  /** Equal in all attempts of one task, different for its compensation. */
  readonly idempotencyKey: string
  /**
   * Aborted when the attempt timed out, was cancelled, lost its lease or the node stops. A handler
   * that has not settled 5 s later has its whole thread ended.
   */
  readonly signal: AbortSignal
  /** W3C trace context of the submission, if it carried one. */
  readonly traceparent?: string
  /**
   * Writes to the node's log, and to the job's, where `GET /v1/jobs/{id}/logs` shows it about a second
   * later. At most 64 KiB an attempt, the newest 64 KiB of a job are kept. What was logged in the last
   * second before the process dies is lost.
   */
  readonly log: ServiceLog
  /**
   * Says that the handler is alive and asks whether it shall go on: throws the signal's reason when it
   * shall not. Without it a loop that computes on the shared thread for seconds counts as blocked. It
   * makes no timeout longer.
   */
  heartbeat(): void
  /**
   * How far the attempt is, for people: numbers of any unit, ≥ 0, and at most 200 characters. May be
   * called as often as you like; the newest is shown with the attempt and to whoever follows the job,
   * and stands last in its log.
   */
  progress(done: number, total?: number, note?: string): void
  /** The hash table of the ring. */
  readonly dht: ServiceDht
  /** What the node's owner configured (`--worker-config`), by name. Frozen. */
  readonly config: Readonly<Record<string, Json>>
  readonly secrets: ServiceSecrets
}

/** From the node's configuration, never from inputs; their values are struck out of logs and errors. */
export interface ServiceSecrets {
  has(name: string): boolean
  /** @throws ServiceError `secret_missing`, not retryable */
  get(name: string): string
}

export interface ServiceLog {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Plain data; what JSON cannot carry is left out. */
export type LogFields = Readonly<Record<string, unknown>>
