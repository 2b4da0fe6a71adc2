import { randomFillSync } from 'node:crypto'
import { type JobId, makeJobId } from '../base/ids.js'
import type { IdempotencyStamp } from '../protocol/ledger/command.js'

/** Random bytes drawn at a time: one system call serves this many divided by 8 IDs. */
const POOL_BYTES = 4096

/**
 * Mints job IDs (design §2): the top 16 bits place the job on the ring. With an idempotency key they
 * are the key's, so that key and job share an arc; without one they are drawn, the same for one turn
 * of the loop, so that a burst of jobs shares a batch.
 */
export class JobIds {
  readonly #pool = Buffer.allocUnsafe(POOL_BYTES)
  #used = POOL_BYTES
  #turnPlace: number | null = null

  mint(stamp: IdempotencyStamp | undefined): JobId {
    const place =
      stamp === undefined ? this.#placeOfTurn() : Number.parseInt(stamp.key.slice(0, 4), 16)
    return makeJobId(place, Date.now(), this.#random(8).toString('hex'))
  }

  /** In the arc of another job, whatever their number. */
  mintBeside(job: string): JobId {
    const place = Number.parseInt(job.slice(0, 4), 16)
    return makeJobId(place, Date.now(), this.#random(8).toString('hex'))
  }

  #placeOfTurn(): number {
    if (this.#turnPlace === null) {
      this.#turnPlace = this.#random(2).readUInt16BE()
      setImmediate(() => {
        this.#turnPlace = null
      })
    }
    return this.#turnPlace
  }

  #random(bytes: number): Buffer {
    if (this.#used + bytes > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    this.#used += bytes
    return this.#pool.subarray(this.#used - bytes, this.#used)
  }
}
