import { AppError } from '../base/app-error.js'
import type { Clock } from '../ports/clock.js'
import type { Link } from '../ports/link.js'
import type { ArcDamage } from '../protocol/state/damage.js'
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
  noteDamage(damage: ArcDamage): void
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
  /** Rows in memory at which flushing begins at once. */
  readonly maxDirtyRows: number
  /** Characters of entries whose rows may be in memory only; the same for rows that are large. */
  readonly maxDirtyChars: number
  /** Rows written after which a checkpoint makes them durable and lets the log be cut. */
  readonly checkpointRows: number
  /** Characters of entries written out after which it does the same. */
  readonly checkpointChars: number
  /** Pause after the last rows were written, ms, after which it does the same. */
  readonly idleCheckpointMs: number
}

export const DEFAULT_FLUSH_POLICY: FlushPolicy = {
  everyMs: 1000,
  sliceRows: 2000,
  maxDirtyRows: 50_000,
  maxDirtyChars: 16 * 1024 * 1024,
  checkpointRows: 100_000,
  checkpointChars: 48 * 1024 * 1024,
  idleCheckpointMs: 10_000,
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
 * turn, until nothing is dirty). What arrives faster than it can be flushed is held up: twice the
 * bound is flushed down to the bound before the next turn's entries are taken.
 */
export class LedgerRuntime {
  readonly #options: LedgerRuntimeOptions
  readonly #policy: FlushPolicy
  #alarmIsSet = false
  #flushing = false
  #rowsSinceCheckpoint = 0
  #charsSinceCheckpoint = 0
  #cancelIdle: (() => void) | null = null
  /** Characters of the entries applied since nothing was dirty. */
  #dirtyChars = 0
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
        else if (message.kind === 'checkpoint') this.#writeAll()
        else if (message.kind === 'sign') link.send({ kind: 'signed' })
        else machine.step(message)
        if (message.kind !== 'entry') continue
        this.#dirtyChars += message.body.length
        this.#catchUp()
      }
      this.#afterTurn()
    })
    // What an earlier life wrote survived its end, but maybe not yet a power cut.
    this.#checkpoint()
    this.#afterTurn()
  }

  /** A row of one arc was found rotten by somebody else. */
  noteDamage(damage: ArcDamage): void {
    this.#options.machine.noteDamage(damage)
    this.#afterTurn()
  }

  #afterTurn(): void {
    const { machine, clock } = this.#options
    this.#send()
    if (!this.#full && !this.#flushing && this.#isCheckpointDue) this.#checkpoint()
    if (machine.dirtyRowCount === 0 || this.#flushing) return
    if (this.#isOver(1) && !this.#full) return this.#beginFlush()
    if (this.#alarmIsSet) return
    this.#alarmIsSet = true
    clock.alarm(this.#policy.everyMs, () => {
      this.#alarmIsSet = false
      this.#beginFlush()
    })
  }

  #isOver(times: number): boolean {
    const { maxDirtyRows, maxDirtyChars } = this.#policy
    const { dirtyRowCount } = this.#options.machine
    return dirtyRowCount >= maxDirtyRows * times || this.#dirtyChars >= maxDirtyChars * times
  }

  #catchUp(): void {
    if (!this.#isOver(2)) return
    this.#send()
    while (this.#isOver(1) && this.#flushSome() > 0) continue
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
    const written = this.#flushSome()
    if (written > 0 && machine.dirtyRowCount > 0) return clock.soon(() => this.#flushSlice())
    this.#flushing = false
    this.#setIdleAlarm()
    this.#afterTurn()
  }

  get #isCheckpointDue(): boolean {
    const { checkpointRows, checkpointChars } = this.#policy
    return (
      this.#rowsSinceCheckpoint >= checkpointRows || this.#charsSinceCheckpoint >= checkpointChars
    )
  }

  /** Rows that wait for company are checkpointed when none comes. */
  #setIdleAlarm(): void {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    if (this.#rowsSinceCheckpoint === 0) return
    this.#cancelIdle = this.#options.clock.alarm(this.#policy.idleCheckpointMs, () => {
      this.#cancelIdle = null
      this.#checkpoint()
    })
  }

  /** One slice; smaller where rows are large. */
  #flushSome(): number {
    const { machine } = this.#options
    const { sliceRows, maxDirtyChars } = this.#policy
    const before = machine.dirtyRowCount
    const share = maxDirtyChars / Math.max(this.#dirtyChars, maxDirtyChars)
    const written = this.#tryFlush(Math.ceil(sliceRows * share))
    const left = machine.dirtyRowCount
    const charsLeft = left === 0 ? 0 : Math.floor((this.#dirtyChars * left) / Math.max(before, 1))
    this.#charsSinceCheckpoint += this.#dirtyChars - charsLeft
    this.#dirtyChars = charsLeft
    this.#rowsSinceCheckpoint += written
    return written
  }

  /** @returns rows written; 0 when the disk is full: they stay in memory and are tried again */
  #tryFlush(maxRows: number): number {
    let written = 0
    this.#unlessFull(() => {
      written = this.#options.machine.flush(maxRows)
    })
    return written
  }

  /** A full disk is an expected outcome; whatever else the state store throws ends the process. */
  #unlessFull(write: () => void): void {
    try {
      write()
      this.#noteFull(false)
    } catch (error) {
      if (!isFull(error)) throw error
      this.#noteFull(true)
    }
  }

  #noteFull(full: boolean): void {
    if (this.#full === full) return
    this.#full = full
    this.#options.link.send({ kind: 'state-full', full })
    if (full) this.#letLogBeCut()
  }

  /** What was committed before the disk was full still lets segments go, and that makes room. */
  #letLogBeCut(): void {
    try {
      this.#options.machine.checkpoint()
    } catch (error) {
      if (!isFull(error)) throw error
    }
    this.#send()
  }

  #checkpoint(): void {
    this.#unlessFull(() => {
      this.#options.machine.checkpoint()
      this.#rowsSinceCheckpoint = 0
      this.#charsSinceCheckpoint = 0
    })
    this.#send()
  }

  /** Everything that was applied reaches the disk, in slices of a bounded size. */
  #writeAll(): void {
    this.#send()
    while (this.#options.machine.dirtyRowCount > 0 && this.#flushSome() > 0) continue
    if (this.#full) this.#letLogBeCut()
    else this.#checkpoint()
  }

  #close(): void {
    this.#writeAll()
    this.#cancelIdle?.()
    this.#options.link.send({ kind: 'closed' })
  }
}

function isFull(error: unknown): boolean {
  return error instanceof AppError && error.code === 'state_full'
}
