/** Lets so many go at a time; the others wait, first come first served. */
export class Turns {
  readonly #most: number
  readonly #line: (() => void)[] = []
  #taken = 0
  /** Of those in line, who goes next: cheaper than to move all others up. */
  #next = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Runs `work` when its turn has come; the next one's comes when its promise settles. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#most) this.#taken += 1
    else await new Promise<void>((go) => this.#line.push(go))
    try {
      return await work()
    } finally {
      this.#end()
    }
  }

  /** The turn goes to the next in line, if there is one. */
  #end(): void {
    const go = this.#line[this.#next]
    if (go === undefined) {
      this.#taken -= 1
      return
    }
    this.#next += 1
    if (this.#next * 2 > this.#line.length) {
      this.#line.splice(0, this.#next)
      this.#next = 0
    }
    go()
  }
}
