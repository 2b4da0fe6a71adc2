/** The table is known to hold no such row. */
export const ABSENT: unique symbol = Symbol('absent')

export type Known = object | typeof ABSENT

/**
 * What is known about single rows of the table without reading it: their values, or that there is
 * none. A bounded cache of two generations: a row used while it is old becomes young again; when the
 * young ones have filled half of the bounds, they become the old ones and the old ones are dropped.
 *
 * It says what the *table* holds, not what the overlay has put since.
 */
export class KnownRows {
  readonly #rowsMax: number
  readonly #charsMax: number
  #young = new Map<string, Remembered>()
  #old = new Map<string, Remembered>()
  #youngChars = 0

  constructor(limits: { readonly knownRowsMax: number; readonly knownCharsMax: number }) {
    this.#rowsMax = limits.knownRowsMax
    this.#charsMax = limits.knownCharsMax
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(tableKey: string): Known | undefined {
    const young = this.#young.get(tableKey)
    if (young !== undefined) return young.known
    const old = this.#old.get(tableKey)
    if (old === undefined) return undefined
    this.set(tableKey, old.known, old.chars)
    return old.known
  }

  /** @param chars  length of the row's JSON text; 0 for ABSENT */
  set(tableKey: string, known: Known, chars: number): void {
    this.#old.delete(tableKey)
    this.#youngChars += chars - (this.#young.get(tableKey)?.chars ?? 0)
    this.#young.set(tableKey, { known, chars })
    if (this.#young.size * 2 > this.#rowsMax || this.#youngChars * 2 > this.#charsMax) this.#age()
  }

  #age(): void {
    this.#old = this.#young
    this.#young = new Map()
    this.#youngChars = 0
  }
}

interface Remembered {
  readonly known: Known
  readonly chars: number
}
