import { assert } from '../../base/assert.js'

const NOTHING: readonly never[] = []

/**
 * What may happen only after a write: votes and acknowledgements to others, and a replica's own vote.
 * Nothing leaves this queue but by the completion of the write that it waits for, on one voter as on
 * many (protocol §4.3; etcd's raft has the same two queues).
 *
 * Writes are numbered from 1 in the order in which they are taken, and complete in that order.
 */
export class DurableQueue<Item> {
  #taken = 0
  #completed = 0
  #waiting: { readonly write: number; readonly item: Item }[] = []

  /** Number of the next write to be taken. */
  get next(): number {
    return this.#taken + 1
  }

  get lastTaken(): number {
    return this.#taken
  }

  isDurable(write: number): boolean {
    return write <= this.#completed
  }

  add(write: number, item: Item): void {
    assert(!this.isDurable(write) && write <= this.next, 'waits for a write that is on its way')
    this.#waiting.push({ write, item })
  }

  /** What waits and would be untrue by now never leaves. */
  discard(isUntrue: (item: Item) => boolean): void {
    this.#waiting = this.#waiting.filter(({ item }) => !isUntrue(item))
  }

  take(): number {
    this.#taken += 1
    return this.#taken
  }

  /** @returns what waited for it, in the order of adding */
  complete(write: number): readonly Item[] {
    assert(write > this.#completed && write <= this.#taken, 'writes complete once, in order')
    this.#completed = write
    if (this.#waiting.length === 0) return NOTHING
    const due = this.#waiting.filter((waiting) => waiting.write <= write)
    this.#waiting = this.#waiting.filter((waiting) => waiting.write > write)
    return due.map(({ item }) => item)
  }
}
