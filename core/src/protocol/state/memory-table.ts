import type { Table, TableChange, TableRow } from './table.js'

/** A Table in memory, for tests of what stands above it: nothing survives it, nothing fails. */
export class MemoryTable implements Table {
  readonly #values = new Map<string, string>()
  /** The keys of `#values`, sorted. */
  #keys: string[] = []

  get(key: string): string | undefined {
    return this.#values.get(key)
  }

  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    const keys = this.#keys.slice(this.#positionOf(from), this.#positionOf(to))
    if (reverse) keys.reverse()
    return keys.slice(0, limit).map((key) => ({ key, value: this.#values.get(key) ?? '' }))
  }

  commit(changes: readonly TableChange[]): void {
    for (const { key, value } of changes) {
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, value)
    }
    this.#keys = [...this.#values.keys()].sort()
  }

  clear(from: string, to: string): void {
    const keys = this.#keys.slice(this.#positionOf(from), this.#positionOf(to))
    this.commit(keys.map((key) => ({ key, value: undefined })))
  }

  checkpoint(): void {}

  /** First position whose key is ≥ `key`. */
  #positionOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
