import type { Worker } from 'node:worker_threads'
import { HEAP_HEADROOM_MB } from './limits.js'

/**
 * Notices from outside that a thread uses more heap than it may, so that it can be ended while V8
 * still has room.
 *
 * V8's own limit ends only the thread when many small objects reach it. From Node.js 22 on, one large
 * array that reaches it ends the whole process, whatever the `resourceLimits` say. Where Node.js can
 * look into another thread's heap (from 22.16 on, also while that thread is in an endless loop), V8's
 * limit is therefore set far above ours. Proof: supervisor.test.ts, "a thread out of memory".
 */
export class HeapWatch {
  readonly #worker: Worker & WorkerWithStatistics
  readonly #heapMb: number
  readonly #onExceeded: () => void
  #isLooking = false

  constructor(worker: Worker, heapMb: number, onExceeded: () => void) {
    this.#worker = worker
    this.#heapMb = heapMb
    this.#onExceeded = onExceeded
  }

  /** Calls `onExceeded`, soon, if the heap is too large. */
  look(): void {
    const { getHeapStatistics } = this.#worker
    if (getHeapStatistics === undefined || this.#isLooking) return
    this.#isLooking = true
    getHeapStatistics.call(this.#worker).then(
      ({ used_heap_size: used }) => {
        this.#isLooking = false
        if (used > this.#heapMb * 1024 * 1024) this.#onExceeded()
      },
      () => {
        // The thread has not begun or has ended: it has no heap.
        this.#isLooking = false
      },
    )
  }
}

/** V8's limit for a thread that may use `heapMb`, MiB. */
export function hardHeapLimitMb(heapMb: number, worker: Worker & WorkerWithStatistics): number {
  return worker.getHeapStatistics === undefined ? heapMb : heapMb + HEAP_HEADROOM_MB
}

/** As far as a heap watch needs a worker; older versions of Node.js lack the method. */
export interface WorkerWithStatistics {
  readonly getHeapStatistics?: () => Promise<{ readonly used_heap_size: number }>
}
