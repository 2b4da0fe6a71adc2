import type { Clock, Now } from '@gyre/core/internal/ports/clock.js'
import { AppError } from '@gyre/core/internal/base/app-error.js'
import { FileError } from '@gyre/core/internal/ports/files.js'
import { PowerCut } from './disk.js'
import { ProcessEnded, type SimProcess } from './sim-process.js'

/** The two clocks of a machine, shared by its processes; faults move the wall clock. */
export class MachineClock {
  /** Wall clock minus true time, milliseconds. */
  wallOffset: number
  /** What the monotonic clock showed when true time was 0. */
  readonly monoStart: number
  /** How fast the wall clock runs, 1: as true time. */
  readonly #wallRate: number

  constructor(start: {
    readonly wallOffset: number
    readonly monoStart: number
    readonly wallRate: number
  }) {
    this.wallOffset = start.wallOffset
    this.monoStart = start.monoStart
    this.#wallRate = start.wallRate
  }

  read(trueTime: number): Now {
    return {
      mono: this.monoStart + trueTime,
      wall: Math.floor(this.wallOffset + trueTime * this.#wallRate),
    }
  }
}

/**
 * One thread of a simulated process: a loop that runs one turn at a time. It can be paused (a long
 * garbage collection, a starved CPU), after which everything that waited happens at once, in order.
 *
 * What a turn throws ends the process: a failure of the world, or else a bug.
 */
export class SimThread {
  readonly name: string
  readonly process: SimProcess
  readonly clock: Clock
  #pausedUntil = 0
  #soon: (() => void)[] = []
  #isInTurn = false

  constructor(name: string, process: SimProcess, machineClock: MachineClock) {
    this.name = name
    this.process = process
    this.clock = {
      now: () => machineClock.read(process.time.now),
      alarm: (delayMs, ring) => this.after(delayMs, ring),
      soon: (run) => this.soon(run),
    }
  }

  /** Nothing runs on this thread for `durationMs` from now. */
  pause(durationMs: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.process.time.now + durationMs)
  }

  /** Runs `run` in a turn of its own, `delayMs` later. @returns its cancellation */
  after(delayMs: number, run: () => void): () => void {
    let isCancelled = false
    this.process.time.after(delayMs, () => {
      this.#turnWhenAwake(() => {
        if (!isCancelled) run()
      })
    })
    return () => {
      isCancelled = true
    }
  }

  /** Runs `run` at the end of the current turn, or in a turn of its own at once. */
  soon(run: () => void): void {
    this.#soon.push(run)
    if (!this.#isInTurn) this.after(0, () => undefined)
  }

  /** Runs `run` as a turn now; for the first turn of a thread. */
  turn(run: () => void): void {
    if (!this.process.isAlive) return
    this.#isInTurn = true
    try {
      run()
      this.#drainSoon()
    } catch (error) {
      this.#onThrow(error)
    } finally {
      this.#isInTurn = false
    }
  }

  #turnWhenAwake(run: () => void): void {
    if (!this.process.isAlive) return
    if (this.process.time.now < this.#pausedUntil) {
      this.process.time.at(this.#pausedUntil, () => this.#turnWhenAwake(run))
      return
    }
    this.turn(run)
  }

  #drainSoon(): void {
    while (this.#soon.length > 0) {
      const runs = this.#soon
      this.#soon = []
      for (const run of runs) run()
    }
  }

  #onThrow(error: unknown): void {
    this.#soon = []
    if (error instanceof ProcessEnded || !this.process.isAlive) return
    if (error instanceof PowerCut) return this.process.end({ kind: 'power-cut' })
    const isOfTheWorld = error instanceof AppError || error instanceof FileError
    if (isOfTheWorld)
      this.process.end({ kind: 'gave-up', code: error.code, message: error.message })
    else this.process.end({ kind: 'crashed', error })
  }
}
