/**
 * A small seeded generator (sfc32, Chris Doty-Humphrey, PractRand): the only randomness pure code
 * may use. Same seed, same sequence, on every machine.
 */
export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed any safe integer; its low and high 32 bits both count */
  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 0x100000000) >>> 0
    this.#c = 0x9e3779b9
    for (let round = 0; round < 15; round += 1) this.uint32()
  }

  /** 0 … 2^32 − 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0
    this.#c = (this.#c + sum) >>> 0
    return sum
  }

  /** An integer in 0 … bound − 1; `bound` is 1 … 2^32. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x100000000) * bound)
  }

  /** An integer in min … max, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** True with the given probability, 0 … 1. */
  chance(probability: number): boolean {
    return this.uint32() / 0x100000000 < probability
  }

  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  /** 16 lower-case hex digits. */
  hex16(): string {
    return this.uint32().toString(16).padStart(8, '0') + this.uint32().toString(16).padStart(8, '0')
  }

  /**
   * An independent stream named by `label`, so that drawing more from one stream does not change
   * what another draws.
   */
  fork(label: string): Prng {
    let hash = 0x811c9dc5
    for (let i = 0; i < label.length; i += 1) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193) >>> 0
    }
    return new Prng(hash * 0x200000 + (this.uint32() >>> 11))
  }
}
