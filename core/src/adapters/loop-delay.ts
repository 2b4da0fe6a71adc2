/**
 * How late each thread's event loop is, seen from another thread: a timer in the thread notes in shared
 * memory by how much it rang too late. What keeps a loop from turning counts once, with all its length,
 * when the loop turns again.
 *
 * One thread writes, any may read; a reader may see one sample half counted, which does not matter to a
 * metric.
 */

/** Pause between two samples, ms: few enough to cost nothing, shorter than what anybody would notice. */
const SAMPLE_EVERY_MS = 200
/** Upper bounds of the histogram, seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10]

const COUNT = 0
const SUM = 1
const BUCKETS = 2

export interface LoopDelay {
  readonly count: number
  readonly sumSeconds: number
  /** [upper bound in seconds, samples at most that late], rising. */
  readonly buckets: readonly (readonly [number, number])[]
}

export function makeLoopDelayMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((BUCKETS + BOUNDS.length) * Float64Array.BYTES_PER_ELEMENT)
}

/** Measures the loop of the calling thread for as long as it lives; keeps no thread alive. */
export function measureLoopDelay(memory: SharedArrayBuffer): void {
  const note = makeNote(memory)
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    note(now - last - SAMPLE_EVERY_MS)
    last = now
  }, SAMPLE_EVERY_MS).unref()
}

/** Notes one sample. Exported for its test. */
export function makeNote(memory: SharedArrayBuffer): (lateMs: number) => void {
  const cells = new Float64Array(memory)
  const add = (cell: number, amount: number): void => {
    cells[cell] = (cells[cell] ?? 0) + amount
  }
  return (lateMs) => {
    const seconds = Math.max(0, lateMs) / 1000
    add(COUNT, 1)
    add(SUM, seconds)
    for (const [place, bound] of BOUNDS.entries()) if (seconds <= bound) add(BUCKETS + place, 1)
  }
}

export function readLoopDelay(memory: SharedArrayBuffer): LoopDelay {
  const cells = new Float64Array(memory)
  const buckets = BOUNDS.map((bound, place) => [bound, cells[BUCKETS + place] ?? 0] as const)
  return { count: cells[COUNT] ?? 0, sumSeconds: cells[SUM] ?? 0, buckets }
}
