import { assert } from '@gyre/core/internal/base/assert.js'

/**
 * True time of a simulation, and everything that is going to happen in it: a binary heap keyed by
 * (time, order of scheduling), so that equal times keep the order in which they were asked for.
 *
 * Threads never see this clock; each has its own, which may lie (sim-thread.ts).
 */
export class VirtualTime {
  #now = 0
  #nextSeq = 0
  #stepCount = 0
  readonly #heap: Event[] = []

  /** Milliseconds since the simulation began, with fractions; never goes back. */
  get now(): number {
    return this.#now
  }

  /** Events run so far. */
  get stepCount(): number {
    return this.#stepCount
  }

  /** Runs `run` once, `delayMs` ≥ 0 from now. @returns its cancellation */
  after(delayMs: number, run: () => void): () => void {
    return this.at(this.#now + Math.max(0, delayMs), run)
  }

  /** Runs `run` once, at `time` or now if that has passed. @returns its cancellation */
  at(time: number, run: () => void): () => void {
    assert(Number.isFinite(time), `an event at ${time}`)
    const event: Event = { time: Math.max(time, this.#now), seq: this.#nextSeq, run }
    this.#nextSeq += 1
    this.#push(event)
    return () => {
      event.run = null
    }
  }

  /** Runs the next event. @returns false when nothing is left to happen up to `until` */
  step(until: number): boolean {
    for (;;) {
      const event = this.#heap[0]
      if (event === undefined || event.time > until) {
        if (Number.isFinite(until)) this.#now = Math.max(this.#now, until)
        return false
      }
      this.#pop()
      if (event.run === null) continue
      this.#now = event.time
      this.#stepCount += 1
      event.run()
      return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt]
      if (parent === undefined || isBefore(parent, event)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const childAt = smallerChild(heap, at)
      const child = heap[childAt]
      if (child === undefined || isBefore(last, child)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
  }
}

interface Event {
  readonly time: number
  readonly seq: number
  /** null: cancelled. */
  run: (() => void) | null
}

function isBefore(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.seq < b.seq)
}

function smallerChild(heap: readonly Event[], at: number): number {
  const left = at * 2 + 1
  const leftEvent = heap[left]
  const rightEvent = heap[left + 1]
  if (leftEvent === undefined || rightEvent === undefined) return left
  return isBefore(rightEvent, leftEvent) ? left + 1 : left
}
