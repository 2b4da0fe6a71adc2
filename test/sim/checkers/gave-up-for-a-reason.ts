import { type Checker, type Harm, type Observation, Violation } from '../observation.js'

type GaveUp = Extract<
  Extract<Observation, { readonly kind: 'life-ended' }>['end'],
  { readonly kind: 'gave-up' }
>

/**
 * A node ends itself, or refuses to start, only for what a fault has really done to its disk, and it
 * says which; nor does it call a whole log rotten. Each code has its own condition; a code that is not listed is never right.
 */
export class GaveUpForAReason implements Checker {
  readonly name = 'gave-up-for-a-reason'
  readonly #mayHaveForgotten: (wasShort: boolean) => boolean
  readonly #harms = new Set<Harm>()
  #failuresLeft = 0
  /** That may still be found. */
  #rottenRows = 0
  /** Rotten segments are given up, and what is given up cannot rebuild a state. */
  #hasRotted = false
  /** Something in the log is rotten, and the state may lack what stood there. */
  #mayRefuseLog = false

  /**
   * @param mayHaveForgotten  whether the log has grown so much that it may have given up entries; it
   *   keeps less when there ever was a shortage of room
   */
  constructor(mayHaveForgotten: (wasShort: boolean) => boolean) {
    this.#mayHaveForgotten = mayHaveForgotten
  }

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'harmed') {
      this.#harms.add(observation.harm)
      if (observation.harm === 'io-failed') this.#failuresLeft += 1
      if (observation.harm === 'state-rotten') this.#rottenRows += 1
      if (observation.harm === 'log-rotten') {
        this.#hasRotted = true
        this.#mayRefuseLog = true
      }
    } else if (observation.kind === 'arc-damage-told') {
      this.#onArcDamage(observation.message)
    } else if (observation.kind === 'log-rot-told') {
      if (!this.#harms.has('log-rotten')) this.#fail(observation.message)
    } else if (observation.kind === 'had-time-to-scrub') {
      // The state holds all that stood in it: a start has nothing to miss any more.
      this.#forgetRot()
    } else if (observation.kind === 'rot-is-covered') {
      this.#mayRefuseLog = false
    } else if (observation.kind === 'serving') {
      // What was lost has been rebuilt: from now on the log must reach back to what is durable again.
      this.#harms.delete('state-lost')
      // The start has read all of the log, and has given up what is rotten in it.
      this.#forgetRot()
    } else if (observation.kind === 'life-ended') {
      if (observation.end.kind === 'gave-up') this.#onGaveUp(observation.end)
      if (observation.end.kind === 'power-cut' && this.#harms.has('state-rotten'))
        this.#rottenRows += 1
    }
  }

  /**
   * An arc stands still for good only where the log may have forgotten its beginning; else the start
   * after has rebuilt it, and what is told again has rotted again, or a power cut has undone all that.
   */
  #onArcDamage(message: string): void {
    this.#rottenRows -= 1
    if (this.#rottenRows < 0 && !this.#wasShort) this.#fail(`again: ${message}`)
    const isForGood = /no longer reaches back/.test(message)
    const mayBe = this.#hasRotted || this.#mayHaveForgotten(this.#wasShort)
    if (isForGood && !mayBe) this.#fail(message)
  }

  #forgetRot(): void {
    this.#harms.delete('log-rotten')
    this.#mayRefuseLog = false
  }

  #onGaveUp({ code, message }: GaveUp): void {
    if (!this.#isRight(code)) this.#fail(`${code}: ${message}`)
  }

  #fail(what: string): never {
    throw new Violation(this.name, `for nothing that was done to its disk: ${what}`)
  }

  get #wasShort(): boolean {
    return this.#harms.has('disk-full') || this.#harms.has('state-full')
  }

  #isRight(code: string): boolean {
    switch (code) {
      case 'EIO':
        this.#failuresLeft -= 1
        return this.#failuresLeft >= 0
      case 'ENOSPC':
        return this.#harms.has('disk-full')
      case 'log_damaged':
        return this.#mayRefuseLog
      case 'log_unreadable':
        return this.#harms.has('log-rotten')
      case 'state_damaged':
        // The state is removed then, as the message asks, and has to be rebuilt.
        this.#harms.add('state-lost')
        return this.#harms.has('state-rotten')
      case 'state_lost':
        if (!this.#harms.has('state-lost')) return false
        return this.#hasRotted || this.#mayHaveForgotten(this.#wasShort)
      default:
        return false
    }
  }
}
