/**
 * A set of strings in code-unit order: a list of short sorted lists, so that an insertion moves a
 * few hundred pointers and never the whole set (after Grant Jenks, sortedcontainers).
 *
 * Invariants: no chunk is empty; every chunk is sorted without repetition; the last key of a chunk
 * is less than the first of the next.
 */
export class SortedKeys {
  #chunks: string[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns false when it was there already */
  add(key: string): boolean {
    const at = this.#chunkFor(key)
    const chunk = this.#chunks[at]
    if (chunk === undefined) {
      this.#appendLast(key)
      return true
    }
    const place = lowerBound(chunk, key)
    if (chunk[place] === key) return false
    chunk.splice(place, 0, key)
    this.#size += 1
    if (chunk.length > CHUNK_KEYS_MAX) {
      this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1))
    }
    return true
  }

  /** @returns false when it was not there */
  delete(key: string): boolean {
    const at = this.#chunkFor(key)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return false
    const place = lowerBound(chunk, key)
    if (chunk[place] !== key) return false
    chunk.splice(place, 1)
    this.#size -= 1
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    return true
  }

  clear(): void {
    this.#chunks = []
    this.#size = 0
  }

  /** The first key with from ≤ key < to; undefined: there is none. */
  first(from: string, to: string): string | undefined {
    const chunk = this.#chunks[this.#chunkFor(from)] ?? []
    const key = chunk[lowerBound(chunk, from)]
    return key !== undefined && key < to ? key : undefined
  }

  /** At most `limit` keys with from ≤ key < to, in rising order. */
  range(from: string, to: string, limit: number): string[] {
    const found: string[] = []
    let at = this.#chunkFor(from)
    let place = lowerBound(this.#chunks[at] ?? [], from)
    for (; at < this.#chunks.length; at += 1, place = 0) {
      for (const key of (this.#chunks[at] ?? []).slice(place, place + limit - found.length)) {
        if (key >= to) return found
        found.push(key)
      }
      if (found.length >= limit) break
    }
    return found
  }

  /** At most `limit` keys with from ≤ key < to, in falling order. */
  rangeReverse(from: string, to: string, limit: number): string[] {
    const found: string[] = []
    let at = Math.min(this.#chunkFor(to), this.#chunks.length - 1)
    let place = lowerBound(this.#chunks[at] ?? [], to)
    for (; at >= 0; at -= 1, place = this.#chunks[at]?.length ?? 0) {
      const chunk = this.#chunks[at] ?? []
      for (let i = place - 1; i >= 0; i -= 1) {
        const key = chunk[i]
        if (key === undefined || key < from || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  /** Index of the first chunk whose last key is ≥ `key`; the number of chunks when there is none. */
  #chunkFor(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const last = this.#chunks[middle]?.at(-1)
      if (last !== undefined && last < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Keys often come in rising order: the last chunk is filled before a new one is begun. */
  #appendLast(key: string): void {
    const last = this.#chunks.at(-1)
    if (last === undefined || last.length >= CHUNK_KEYS_MAX) this.#chunks.push([key])
    else last.push(key)
    this.#size += 1
  }
}

/** Longer: insertions move more pointers. Shorter: more chunks to search and to keep. */
const CHUNK_KEYS_MAX = 256

/** Index of the first key ≥ `key` in a sorted list. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    const found = keys[middle]
    if (found !== undefined && found < key) low = middle + 1
    else high = middle
  }
  return low
}
