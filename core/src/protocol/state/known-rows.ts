import type { ArcId } from '../../base/ids.js'

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
  #young = new Generation()
  #old = new Generation()

  constructor(limits: { readonly knownRowsMax: number; readonly knownCharsMax: number }) {
    this.#rowsMax = limits.knownRowsMax
    this.#charsMax = limits.knownCharsMax
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Length of the JSON of the rows that are remembered. */
  get chars(): number {
    return this.#young.chars + this.#old.chars
  }

  get(arc: ArcId, key: string): Known | undefined {
    const young = this.#young.get(arc, key)
    if (young !== undefined) return young.known
    const old = this.#old.get(arc, key)
    if (old === undefined) return undefined
    this.set(arc, key, old)
    return old.known
  }

  set(arc: ArcId, key: string, row: KnownRow): void {
    this.#old.delete(arc, key)
    this.#young.set(arc, key, row)
    const { size, chars } = this.#young
    if (size * 2 > this.#rowsMax || chars * 2 > this.#charsMax) this.#age()
  }

  /**
   * States what the table holds now, if the row's value is remembered. That a row was absent is
   * forgotten once it is there: most rows are of jobs that were looked for once, to see that they are
   * new, and are over by the time they are written.
   */
  correct(arc: ArcId, key: string, row: KnownRow): void {
    const remembered = this.#young.get(arc, key) ?? this.#old.get(arc, key)
    if (remembered === undefined) return
    if (remembered.known === ABSENT && row.known !== ABSENT) this.forget(arc, key)
    else this.set(arc, key, row)
  }

  forget(arc: ArcId, key: string): void {
    this.#young.delete(arc, key)
    this.#old.delete(arc, key)
  }

  /** Its rows are gone. */
  forgetArc(arc: ArcId): void {
    this.#young.deleteArc(arc)
    this.#old.deleteArc(arc)
  }

  #age(): void {
    this.#old = this.#young
    this.#young = new Generation()
  }
}

export interface KnownRow {
  readonly known: Known
  /** Length of the row's JSON text; 0 for ABSENT. */
  readonly chars: number
}

/** A map per arc: a key that holds the arc too would be made, and hashed, for every look. */
class Generation {
  size = 0
  chars = 0
  readonly #arcs = new Map<ArcId, Map<string, KnownRow>>()

  get(arc: ArcId, key: string): KnownRow | undefined {
    return this.#arcs.get(arc)?.get(key)
  }

  set(arc: ArcId, key: string, row: KnownRow): void {
    this.delete(arc, key)
    let rows = this.#arcs.get(arc)
    if (rows === undefined) this.#arcs.set(arc, (rows = new Map<string, KnownRow>()))
    rows.set(key, row)
    this.size += 1
    this.chars += row.chars
  }

  deleteArc(arc: ArcId): void {
    for (const key of [...(this.#arcs.get(arc)?.keys() ?? [])]) this.delete(arc, key)
  }

  delete(arc: ArcId, key: string): void {
    const rows = this.#arcs.get(arc)
    const row = rows?.get(key)
    if (rows === undefined || row === undefined) return
    rows.delete(key)
    this.size -= 1
    this.chars -= row.chars
  }
}
