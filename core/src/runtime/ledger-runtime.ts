import { AppError } from '../base/app-error.js'
import type { Clock } from '../ports/clock.js'
import type { Link } from '../ports/link.js'
import type {
  FromLedger,
  FromLedgerThread,
  ToLedger,
  ToLedgerThread,
} from '../protocol/node/messages.js'

/** The part of LedgerNode that the runtime drives. */
export interface LedgerMachine {
  readonly dirtyRowCount: number
  step(message: ToLedger): void
  takeOutputs(): FromLedger[]
  flush(maxRows: number): number
  checkpoint(): void
}

/** When applied rows move from memory to the state store. */
export interface FlushPolicy {
  /** Pause between flushes, ms. Longer: jobs that start and end in between are written once. */
  readonly everyMs: number
  /** Rows of one slice, so that a flush never holds up apply for long. */
  readonly sliceRows: number
  /** Rows in memory at which flushing begins at once. Bounds memory. */
  readonly maxDirtyRows: number
  /** Rows written after which a checkpoint makes them durable and lets the log be cut. */
  readonly checkpointRows: number
}

export const DEFAULT_FLUSH_POLICY: FlushPolicy = {
  everyMs: 1000,
  sliceRows: 2000,
  maxDirtyRows: 50_000,
  checkpointRows: 100_000,
}

export interface LedgerRuntimeOptions {
  readonly machine: LedgerMachine
  readonly link: Link<FromLedgerThread, ToLedgerThread>
  readonly clock: Clock
  readonly policy?: FlushPolicy
}

/**
 * Drives the ledger machine: applies what arrives, sends what comes of it, and writes rows out in
 * slices in the background. A process that dies at any point in here loses nothing: the log still
 * holds every entry above the applied index that a completed checkpoint has (design §5).
 *
 * Modes: *idle* (nothing dirty, no alarm), *waiting* (dirty, alarm set), *flushing* (slices, one a
 * turn, until nothing is dirty).
 */
export class LedgerRuntime {
  readonly #options: LedgerRuntimeOptions
  readonly #policy: FlushPolicy
  #alarmIsSet = false
  #flushing = false
  #rowsSinceCheckpoint = 0
  #full = false

  constructor(options: LedgerRuntimeOptions) {
    this.#options = options
    this.#policy = options.policy ?? DEFAULT_FLUSH_POLICY
  }

  start(): void {
    const { machine, link } = this.#options
    link.onReceive((messages) => {
      for (const message of messages) {
        if (message.kind === 'close') this.#close()
        else machine.step(message)
      }
      this.#afterTurn()
    })
    this.#afterTurn()
  }

  #afterTurn(): void {
    const { machine, clock } = this.#options
    this.#send()
    if (machine.dirtyRowCount === 0 || this.#flushing) return
    if (machine.dirtyRowCount >= this.#policy.maxDirtyRows && !this.#full) return this.#beginFlush()
    if (this.#alarmIsSet) return
    this.#alarmIsSet = true
    clock.alarm(this.#policy.everyMs, () => {
      this.#alarmIsSet = false
      this.#beginFlush()
    })
  }

  #send(): void {
    const { machine, link } = this.#options
    for (const message of machine.takeOutputs()) link.send(message)
  }

  #beginFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#flushSlice()
  }

  #flushSlice(): void {
    const { machine, clock } = this.#options
    const written = this.#tryFlush(this.#policy.sliceRows)
    this.#rowsSinceCheckpoint += written
    if (written > 0 && machine.dirtyRowCount > 0) return clock.soon(() => this.#flushSlice())
    this.#flushing = false
    if (!this.#full && this.#rowsSinceCheckpoint >= this.#policy.checkpointRows) this.#checkpoint()
    this.#afterTurn()
  }

  /** @returns rows written; 0 when the disk is full: they stay in memory and are tried again */
  #tryFlush(maxRows: number): number {
    try {
      const written = this.#options.machine.flush(maxRows)
      this.#noteFull(false)
      return written
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'state_full') throw error
      this.#noteFull(true)
      return 0
    }
  }

  #noteFull(full: boolean): void {
    if (this.#full === full) return
    this.#full = full
    this.#options.link.send({ kind: 'state-full', full })
  }

  #checkpoint(): void {
    this.#options.machine.checkpoint()
    this.#rowsSinceCheckpoint = 0
    this.#send()
  }

  #close(): void {
    this.#send()
    this.#tryFlush(Number.MAX_SAFE_INTEGER)
    if (!this.#full) this.#checkpoint()
    this.#options.link.send({ kind: 'closed' })
  }
}
