import { setFlagsFromString } from 'node:v8'

/**
 * Room for new objects of one thread, MiB; two thirds of it is what they are allocated in. Less: more
 * and shorter collections. More: V8's own 48 lets each of four threads hold 32 MiB of garbage.
 */
export const THREAD_YOUNG_MB = 12

/**
 * The same for the ledger thread, which makes most of all new objects, and keeps its rows for a second
 * or two. Less: they are copied more often. More: 48 takes 2 % less CPU time and 14 MiB more.
 */
export const LEDGER_YOUNG_MB = 24

/**
 * How much garbage a heap may gather before old objects are collected, in percent of what was alive
 * after the last collection. Less: more CPU time. More: V8's own 300 keeps a busy node at twice the
 * memory, at the same rate of jobs (test/bench).
 */
const HEAP_GROWTH_PERCENT = 50

/**
 * Sets how all heaps of this process, present and coming, are collected. For a process that is a node
 * and nothing else: the settings are V8's, not a thread's. A V8 that does not know one says so on
 * stderr and goes on as it would.
 */
export function tuneHeaps(): void {
  // In small steps they stay as small as they can rather than as large as they may.
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  // So little is alive in a young heap of this size that the helper threads which V8 wakes for each
  // collection do less of it than they cost.
  setFlagsFromString('--no-parallel-scavenge')
}
