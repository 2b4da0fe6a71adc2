import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import type { LogEntry, LogRecord } from '@gyre/core/internal/ports/log-store.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'
import { LogModel } from './log-model.js'

const SEED_COUNT = Number(process.env['LOG_MODEL_SEEDS'] ?? 150)
const STEP_COUNT = 60
const ARC_COUNT = 5

test(`log model: ${SEED_COUNT} random lives lose, alter and add nothing`, () => {
  for (let seed = 1; seed <= SEED_COUNT; seed += 1) {
    try {
      new RandomLife(seed).run()
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
    }
  }
})

/** Appends, compactions and crashes drawn from one seed, beside a model that does the same. */
class RandomLife {
  readonly #bench: LogBench
  readonly #prng: Prng
  /** All that was acknowledged, or found and settled by a recovery. */
  #model = new LogModel()
  #payloadCount = 0

  constructor(seed: number) {
    const retainBytes = (seed % 4) * 64 * 1024
    const tailCacheBytes = (seed % 3) * 2_000
    this.#bench = new LogBench({ seed, retainBytes, tailCacheBytes })
    this.#prng = this.#bench.prng.fork('life')
  }

  run(): void {
    this.#bench.open('create')
    for (let step = 0; step < STEP_COUNT; step += 1) this.#step()
    this.#endLife(null)
  }

  #step(): void {
    const dice = this.#prng.below(100)
    if (dice < 70) this.#append()
    else if (dice < 80) this.#compact()
    else if (dice < 90) this.#read()
    else if (dice < 92) this.#bench.files.setFull(this.#prng.chance(0.3))
    else if (dice < 95) this.#bench.settle(this.#prng.below(5))
    else this.#endLife(null)
    if (this.#bench.files.isOff || this.#bench.failures.length > 0) this.#endLife(null)
  }

  /** Now and then the power goes before, in or after the write, or the disk fails. */
  #append(): void {
    const records = this.#records()
    if (this.#prng.chance(0.03)) this.#bench.files.failNextSync()
    if (this.#prng.chance(0.02)) this.#bench.files.failNextWrite()
    if (this.#prng.chance(0.1)) {
      this.#bench.files.cutPowerAtEffect(this.#prng.between(1, 8))
    }
    if (this.#bench.append(records)) this.#model = this.#model.with(records)
    else this.#endLife(records)
  }

  #endLife(unacknowledged: readonly LogRecord[] | null): void {
    const bench = this.#bench
    if (this.#prng.chance(0.5) && !bench.files.isOff) bench.kill()
    else bench.crash()
    bench.files.setFull(false)
    bench.failures.length = 0
    while (!this.#reopen()) bench.crash()
    assert.deepEqual(bench.failures, [])
    this.#model = this.#recoveredModel(unacknowledged)
    for (let arc = 0; arc < ARC_COUNT; arc += 1) {
      bench.log.compact(arc, this.#model.arc(arc).compactedTo)
    }
  }

  #reopen(): boolean {
    if (this.#prng.chance(0.2)) this.#bench.files.cutPowerAtEffect(this.#prng.between(1, 6))
    return this.#bench.open()
  }

  /** What was on its way is there whole, or not at all. */
  #recoveredModel(unacknowledged: readonly LogRecord[] | null): LogModel {
    if (unacknowledged !== null) {
      const withIt = this.#model.with(unacknowledged)
      try {
        withIt.checkRecovered(this.#bench.log)
        return withIt
      } catch {
        // Then it must not be there at all, as the next line checks.
      }
    }
    this.#model.checkRecovered(this.#bench.log)
    return this.#model
  }

  #compact(): void {
    const arc = this.#prng.below(ARC_COUNT)
    const upTo = this.#prng.below(this.#model.lastIndex(arc) + 1)
    this.#bench.log.compact(arc, upTo)
    this.#model.compact(arc, upTo)
  }

  #read(): void {
    const arc = this.#prng.below(ARC_COUNT)
    const last = this.#model.lastIndex(arc)
    const from = this.#model.arc(arc).compactedTo + 1
    if (from > last) return
    const start = this.#prng.between(from, last)
    this.#model.checkRead(this.#bench.log, arc, start, this.#prng.between(start, last))
  }

  #records(): LogRecord[] {
    const records: LogRecord[] = []
    for (let arc = 0; arc < ARC_COUNT; arc += 1) {
      if (this.#prng.chance(0.2)) {
        records.push(hardState(arc, this.#prng.below(50), this.#prng.pick([null, 'node-é'])))
      }
      if (this.#prng.chance(arc === 0 ? 0.05 : 0.5)) records.push(this.#entries(arc))
    }
    return records
  }

  /** Sometimes replaces a suffix that is not compacted. */
  #entries(arc: number): LogRecord {
    const { entries, compactedTo } = this.#model.arc(arc)
    const end = entries.length + 1
    const first = this.#prng.chance(0.2) ? this.#prng.between(compactedTo + 1, end) : end
    const payloads: LogEntry['payload'][] = []
    for (let count = this.#prng.between(1, 4); count > 0; count -= 1) payloads.push(this.#payload())
    return entriesOf(arc, first, payloads, this.#prng.between(1, 9))
  }

  #payload(): string {
    this.#payloadCount += 1
    const bytes = this.#prng.pick([0, 10, 400, 508, 1_500])
    return `${this.#payloadCount} ${this.#prng.pick(['x', 'ü', '€'])}`.padEnd(bytes, 'abc')
  }
}
