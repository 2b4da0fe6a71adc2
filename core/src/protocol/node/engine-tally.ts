import type { Instant } from '../../base/ids.js'
import { Histogram } from '../../base/histogram.js'
import type { EngineBatch } from './engine-types.js'
import type { EngineFigures } from './messages.js'
import { REFUSAL_CODES, type RefusalCode } from './refusals.js'

/** Upper bounds, commands; the last is the most that a batch may have (limits.ts). */
const COMMAND_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]
/** Upper bounds, seconds: a sync of a fast disk takes a fraction of a millisecond, of a sick one minutes. */
const SYNC_BOUNDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1, 5, 30]

/** Counts what passes through the engine. Nothing depends on it. */
export class EngineTally {
  readonly #batchCommands = new Histogram(COMMAND_BOUNDS)
  readonly #syncSeconds = new Histogram(SYNC_BOUNDS)
  readonly #commitSeconds = new Histogram(SYNC_BOUNDS)
  readonly #refusals = new Map<RefusalCode, number>(REFUSAL_CODES.map((code) => [code, 0]))
  #inFlight: Pick<EngineBatch, 'takenAts'> = { takenAts: [] }
  #handedOverAt: Instant = 0

  /** A batch goes to the log; there is one at a time. */
  batchTaken(batch: Pick<EngineBatch, 'takenAts'>, mono: Instant): void {
    this.#inFlight = batch
    this.#handedOverAt = mono
  }

  /** Terms and votes alone make batches as well: they have no commands. */
  batchSynced(mono: Instant): void {
    const { takenAts } = this.#inFlight
    this.#batchCommands.observe(takenAts.length)
    this.#syncSeconds.observe((mono - this.#handedOverAt) / 1000)
    for (const takenAt of takenAts) this.#commitSeconds.observe((mono - takenAt) / 1000)
  }

  refused(code: RefusalCode): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1)
  }

  get figures(): EngineFigures {
    return {
      batchCommands: this.#batchCommands.figures,
      syncSeconds: this.#syncSeconds.figures,
      commitSeconds: this.#commitSeconds.figures,
      refusals: Object.fromEntries(this.#refusals) as Record<RefusalCode, number>,
    }
  }
}
