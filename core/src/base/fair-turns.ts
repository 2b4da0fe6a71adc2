/** What the thread gives to the turns: a clock, and a way to go on once others have been heard. */
export interface TurnsHost {
  readonly now: () => number
  /** Calls back after what waits for the thread now: sockets, timers, signals. */
  readonly later: (go: () => void) => void
}

interface Waiting {
  readonly work: () => void
}

/**
 * Lets work that may take long go on a thread that others wait for: so many ms at a time, then others are
 * heard. Who brings much work has a line of its own, and the lines take turns.
 */
export class FairTurns<Line extends object> {
  readonly #host: TurnsHost
  readonly #turnMs: number
  readonly #lines = new Map<Line, Waiting[]>()
  #spentMs = 0
  #isGoing = false

  /** @param turnMs  work that begins within it goes in the same turn; 0: one piece a turn */
  constructor(host: TurnsHost, turnMs: number) {
    this.#host = host
    this.#turnMs = turnMs
  }

  /** Lines that wait. */
  get waiting(): number {
    return this.#lines.size
  }

  isWaiting(line: Line): boolean {
    return this.#lines.has(line)
  }

  /** Runs `work` when its turn has come: at once, while the turn has time and nobody waits. */
  run<T>(line: Line, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        work: () => {
          try {
            resolve(work())
          } catch (error) {
            reject(error)
          }
        },
      }
      if (this.#lines.size === 0 && this.#hasTime) {
        this.#do(waiting)
      } else {
        const others = this.#lines.get(line)
        if (others === undefined) this.#lines.set(line, [waiting])
        else others.push(waiting)
      }
      this.#goOn()
    })
  }

  get #hasTime(): boolean {
    return this.#spentMs === 0 || this.#spentMs < this.#turnMs
  }

  #do({ work }: Waiting): void {
    const begin = this.#host.now()
    work()
    // Never nothing: a turn that has begun is told from one that has not.
    this.#spentMs += Math.max(this.#host.now() - begin, Number.EPSILON)
  }

  #goOn(): void {
    if (this.#isGoing) return
    this.#isGoing = true
    this.#host.later(() => {
      this.#isGoing = false
      this.#spentMs = 0
      while (this.#lines.size > 0 && this.#hasTime) this.#next()
      if (this.#lines.size > 0 || this.#spentMs > 0) this.#goOn()
    })
  }

  /** The line that has waited longest gives one piece, and stands behind the others then. */
  #next(): void {
    const [first] = this.#lines
    if (first === undefined) return
    const [line, pieces] = first
    const piece = pieces.shift()
    this.#lines.delete(line)
    if (pieces.length > 0) this.#lines.set(line, pieces)
    if (piece !== undefined) this.#do(piece)
  }
}
