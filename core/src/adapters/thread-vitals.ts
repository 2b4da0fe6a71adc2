import { getHeapStatistics } from 'node:v8'
import type { HistogramFigures } from '../base/histogram.js'

/**
 * How a thread is, seen from another one: a timer in it notes in shared memory by how much it rang too
 * late, and how large the thread's heap is. What keeps a loop from turning counts once, with all its
 * length, when the loop turns again.
 *
 * One thread writes, any may read; a reader may see one sample half counted, which does not matter to a
 * metric.
 */

/** Pause between two samples, ms: few enough to cost nothing, shorter than what anybody would notice. */
const SAMPLE_EVERY_MS = 200
/** Samples from one look at the heap to the next: such a look takes ten times as long. */
const SAMPLES_PER_LOOK = 10
/** Upper bounds of the histogram, seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10]

const SUM = 0
const HEAP_USED = 1
const HEAP_TOTAL = 2
const EXTERNAL = 3
const BUCKETS = 4

export interface ThreadVitals {
  /** How late its timers rang in this life of the node, seconds. */
  readonly loopDelay: HistogramFigures
  /** What is or was alive in its heap, what the heap takes, and buffers beside it. Bytes; 0: not looked yet. */
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
}

export function makeVitalsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((BUCKETS + BOUNDS.length + 1) * Float64Array.BYTES_PER_ELEMENT)
}

/** Looks after the calling thread for as long as it lives; keeps no thread alive. */
export function noteVitals(memory: SharedArrayBuffer): void {
  const notes = new VitalsNotes(memory)
  let last = performance.now()
  let samples = 0
  notes.heap()
  setInterval(() => {
    const now = performance.now()
    notes.late(now - last - SAMPLE_EVERY_MS)
    last = now
    samples += 1
    if (samples % SAMPLES_PER_LOOK === 0) notes.heap()
  }, SAMPLE_EVERY_MS).unref()
}

/** What a thread writes about itself. */
export class VitalsNotes {
  readonly #cells: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory)
  }

  late(lateMs: number): void {
    const seconds = Math.max(0, lateMs) / 1000
    const place = BOUNDS.findIndex((bound) => seconds <= bound)
    this.#add(BUCKETS + (place < 0 ? BOUNDS.length : place), 1)
    this.#add(SUM, seconds)
  }

  heap(): void {
    const { used_heap_size, total_heap_size, external_memory } = getHeapStatistics()
    this.#cells[HEAP_USED] = used_heap_size
    this.#cells[HEAP_TOTAL] = total_heap_size
    this.#cells[EXTERNAL] = external_memory
  }

  #add(cell: number, amount: number): void {
    this.#cells[cell] = (this.#cells[cell] ?? 0) + amount
  }
}

export function readVitals(memory: SharedArrayBuffer): ThreadVitals {
  const cells = new Float64Array(memory)
  const loopDelay = { bounds: BOUNDS, counts: [...cells.subarray(BUCKETS)], sum: cells[SUM] ?? 0 }
  return {
    loopDelay,
    heapUsed: cells[HEAP_USED] ?? 0,
    heapTotal: cells[HEAP_TOTAL] ?? 0,
    external: cells[EXTERNAL] ?? 0,
  }
}
