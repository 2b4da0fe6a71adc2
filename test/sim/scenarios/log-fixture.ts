import assert from 'node:assert/strict'
import type { SegmentedLog } from '@gyre/core/internal/adapters/log-store/log-store.js'
import {
  openLogStore,
  type SpareableDamage,
} from '@gyre/core/internal/adapters/log-store/open-log-store.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import type { FileError } from '@gyre/core/internal/ports/files.js'
import type { LogEntry, LogRecord } from '@gyre/core/internal/ports/log-store.js'
import { PowerCut, SimFiles } from '../disk.js'
import { VirtualTime } from '../virtual-time.js'

export interface BenchOptions {
  readonly seed?: number
  readonly segmentBytes?: number
  readonly retainBytes?: number
  readonly tailCacheBytes?: number
}

/** One machine with a log on a simulated disk, and nothing else. */
export class LogBench {
  readonly time = new VirtualTime()
  readonly prng: Prng
  readonly files: SimFiles
  readonly failures: FileError[] = []
  readonly warnings: string[] = []
  readonly #options: BenchOptions
  #log: SegmentedLog | null = null
  #damage: SpareableDamage | null = null

  constructor(options: BenchOptions = {}) {
    this.#options = options
    this.prng = new Prng(options.seed ?? 1)
    this.files = new SimFiles({
      prng: this.prng.fork('disk'),
      schedule: (delayMs, run) => this.time.after(delayMs, run),
    })
  }

  get log(): SegmentedLog {
    assert.ok(this.#log !== null, 'the log is open')
    return this.#log
  }

  /** What the open log could do without; null: it is whole, or cannot. */
  get damage(): SpareableDamage | null {
    return this.#damage
  }

  /** Goes on without what is damaged. @returns false when the power went meanwhile */
  giveUp(keep: ReadonlyMap<number, number> = new Map()): boolean {
    const damage = this.#damage
    assert.ok(damage !== null, 'the damage can be given up')
    this.#log = null
    return this.#unlessPowerCut(() => {
      damage.giveUp(keep, (log) => {
        this.#log = log
      })
      this.runUntil(() => this.#log !== null)
    })
  }

  /** @returns false when the power went meanwhile */
  open(mode: 'create' | 'open' = 'open'): boolean {
    this.#log = null
    return this.#unlessPowerCut(() => {
      openLogStore(
        {
          files: this.files,
          mode,
          onFailure: (error) => this.failures.push(error),
          warn: (message) => this.warnings.push(message),
          alarm: (delayMs, ring) => this.time.after(delayMs, ring),
          segmentBytes: this.#options.segmentBytes ?? 64 * 1024,
          retainBytes: this.#options.retainBytes ?? 128 * 1024,
          tailCacheBytes: this.#options.tailCacheBytes ?? 0,
        },
        (log, damage) => {
          this.#log = log
          this.#damage = damage
        },
      )
      this.runUntil(() => this.#log !== null)
    })
  }

  /** @returns true when the batch was acknowledged; false: no power, a failure, or it waits */
  append(records: readonly LogRecord[]): boolean {
    let isDone = false
    this.#unlessPowerCut(() => {
      this.log.append(records, () => {
        isDone = true
      })
      this.runUntil(() => isDone)
    })
    return isDone
  }

  /** Lets everything happen that is going to; alarms up to `ms` from now. */
  settle(ms = 1_000): void {
    this.#unlessPowerCut(() => {
      const limit = this.time.now + ms
      while (!this.files.isOff && this.time.step(limit)) {}
    })
  }

  runUntil(isOver: () => boolean): void {
    const limit = this.time.now + 1_000
    while (!isOver() && this.failures.length === 0 && !this.files.isOff) {
      if (!this.time.step(limit)) return
    }
  }

  kill(): void {
    this.files.kill(this.prng)
  }

  crash(seed?: number): void {
    this.files.crash(seed === undefined ? this.prng : new Prng(seed))
  }

  entries(arc: number): LogEntry[] {
    const found = this.log.recovered.arcs.get(arc)
    assert.ok(found !== undefined, `arc ${arc} was recovered`)
    return this.log.read(arc, found.firstIndex, found.lastIndex)
  }

  payloads(arc: number): string[] {
    return this.entries(arc).map((entry) => entry.payload)
  }

  #unlessPowerCut(run: () => void): boolean {
    try {
      run()
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error
    }
    return !this.files.isOff
  }
}

/** An append of consecutive entries. */
export function entriesOf(
  arc: number,
  first: number,
  payloads: readonly string[],
  term = 1,
): LogRecord {
  const entries = payloads.map((payload, offset) => ({ index: first + offset, term, payload }))
  return { kind: 'append', arc, entries }
}

export function hardState(arc: number, term: number, vote: string | null = null): LogRecord {
  return { kind: 'hard-state', arc, term, vote }
}
