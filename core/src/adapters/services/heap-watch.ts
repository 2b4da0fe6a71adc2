import type { Worker } from 'node:worker_threads'
import type { BeatReader } from './beat.js'

const MIB = 1024 * 1024

export interface HeapWatchOptions {
  readonly worker: Worker & WorkerWithStatistics
  readonly beat: BeatReader
  /** What the thread may use, MiB. */
  readonly heapMb: number
  readonly onExceeded: () => void
}

/**
 * Notices from outside that a thread uses more memory than it may, in its heap or in buffers, so that it can be ended while V8
 * still has room: a limit of V8's own may end only the thread, but one large array that reaches it
 * ends the whole process, whatever `resourceLimits` say. V8's limit therefore stands far above ours
 * (HEAP_HEADROOM_MB).
 *
 * Node.js can look into another thread's heap from 22.16 on, also while that thread is in an endless
 * loop. Before, the thread says how much it uses with each beat, and while it is silent it is charged
 * with what the whole process has grown by since: more than its share, if others grow in that moment.
 * Proof: supervisor.test.ts, "a thread out of memory".
 */
export class HeapWatch {
  readonly #options: HeapWatchOptions
  #isLooking = false
  #lastBeat = -1
  /** Of the process, when the thread was last heard. */
  #rssBytes = 0

  constructor(options: HeapWatchOptions) {
    this.#options = options
  }

  /** Calls `onExceeded`, at once or soon, if the heap is too large. */
  look(): void {
    const { worker } = this.#options
    if (worker.getHeapStatistics === undefined) this.#judge(this.#estimate())
    else if (!this.#isLooking) this.#lookInside(worker.getHeapStatistics())
  }

  #lookInside(looked: Promise<HeapStatistics>): void {
    this.#isLooking = true
    looked.then(
      (statistics) => {
        this.#isLooking = false
        this.#judge(memoryOf(statistics))
      },
      () => {
        // The thread has not begun or has ended: it has no heap.
        this.#isLooking = false
      },
    )
  }

  #estimate(): number {
    const { beat } = this.#options
    const rssBytes = rssOfProcess() ?? this.#rssBytes
    const isHeard = beat.count !== this.#lastBeat
    this.#lastBeat = beat.count
    if (isHeard) this.#rssBytes = rssBytes
    return beat.memoryBytes + Math.max(0, rssBytes - this.#rssBytes)
  }

  #judge(bytes: number): void {
    if (bytes > this.#options.heapMb * MIB) this.#options.onExceeded()
  }
}

/** Bytes; null where there is no file descriptor left to read them with. */
function rssOfProcess(): number | null {
  try {
    return process.memoryUsage.rss()
  } catch {
    return null
  }
}

/** As far as a heap watch needs a worker; older versions of Node.js lack the method. */
export interface WorkerWithStatistics {
  readonly getHeapStatistics?: () => Promise<HeapStatistics>
}

export interface HeapStatistics {
  readonly used_heap_size: number
  /** Buffers and what else native code holds for the thread. */
  readonly external_memory: number
}

/** What a thread uses, bytes: its objects, and its buffers outside the heap. */
export function memoryOf(statistics: HeapStatistics): number {
  return statistics.used_heap_size + statistics.external_memory
}
