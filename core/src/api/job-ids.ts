import { randomBytes } from 'node:crypto'
import { type JobId, makeJobId } from '../base/ids.js'
import type { IdempotencyStamp } from '../protocol/ledger/command.js'

/** Random bytes drawn at a time: one system call serves this many divided by 8 IDs. */
const POOL_BYTES = 4096
const ID_DIGITS = 16
const PLACE_DIGITS = 4

/**
 * Mints job IDs (design §2): the top 16 bits place the job on the ring. With an idempotency key they
 * are the key's, so that key and job share an arc; without one they are drawn, the same for one turn
 * of the loop, so that a burst of jobs shares a batch.
 */
export class JobIds {
  /** Hex digits, each used once. */
  #pool = ''
  #used = 0
  #turnPlace: number | null = null

  mint(stamp: IdempotencyStamp | undefined): JobId {
    const place = stamp === undefined ? this.#placeOfTurn() : placeOf(stamp.key)
    return makeJobId(place, Date.now(), this.#random(ID_DIGITS))
  }

  /** Away from where this one was to be; others that were to be there go along. */
  mintElsewhere(id: string): JobId {
    if (this.#turnPlace === placeOf(id)) this.#turnPlace = null
    return this.mint(undefined)
  }

  /** In the arc of another job, whatever their number. */
  mintBeside(job: string): JobId {
    return makeJobId(placeOf(job), Date.now(), this.#random(ID_DIGITS))
  }

  #placeOfTurn(): number {
    if (this.#turnPlace === null) {
      this.#turnPlace = placeOf(this.#random(PLACE_DIGITS))
      setImmediate(() => {
        this.#turnPlace = null
      })
    }
    return this.#turnPlace
  }

  #random(digits: number): string {
    if (this.#used + digits > this.#pool.length) {
      this.#pool = randomBytes(POOL_BYTES).toString('hex')
      this.#used = 0
    }
    this.#used += digits
    return this.#pool.slice(this.#used - digits, this.#used)
  }
}

/** The place on the ring that an ID's first digits name. */
function placeOf(id: string): number {
  return Number.parseInt(id.slice(0, PLACE_DIGITS), 16)
}
