import type { Prng } from '@gyre/core/internal/base/prng.js'

/**
 * What goes wrong, as data: drawn once from the seed, then carried out at its times. A failing run is
 * shrunk by leaving faults out, and replayed from a file.
 */
export interface Fault {
  /** True time, milliseconds. */
  readonly at: number
  readonly kind: FaultKind
  /** How long it lasts, or how long the node stays down after it, milliseconds. */
  readonly ms: number
  /** `…-at-effect`, `…-in-disk`: before which effect from `at` on. */
  readonly count: number
  /** Decides the fault's own dice (which sectors are torn, which bit flips). */
  readonly seed: number
}

export type FaultKind = (typeof FAULT_KINDS)[number]

export const FAULT_KINDS = [
  /** kill -9: what the operating system was given survives. */
  'kill',
  /** Unsynced data is gone or torn. */
  'power-cut',
  'kill-at-effect',
  'power-cut-at-effect',
  /** Between two elementary steps of the disk, inside one operation. */
  'power-cut-in-disk',
  /** kill -9, restarted at once, and a power cut shortly after. */
  'kill-then-power-cut',
  /** The graceful stop, started again afterwards. */
  'stop',
  'pause-engine',
  'pause-ledger',
  /** The next sync fails and loses its data. */
  'fail-sync',
  'fail-write',
  'disk-full',
  'disk-stall',
  /** The services thread is lost with all its handlers. */
  'services-restart',
  'clock-jump',
  /** The state table cannot be written for a while. */
  'state-full',
  /** The node is killed and its state table removed. */
  'wipe-state',
  /** The node is killed and a row of its state table damaged. */
  'damage-row',
  /** A power cut in the middle of a batch, and another one before an effect of the recovery from it. */
  'power-cut-in-recovery',
  /** A bit of the log rots under the running node, in a segment that nothing is written to any more. */
  'rot-closed-segment',
  /** The same while the node is down, after a kill or a power cut: nobody sees it before the next start. */
  'rot-cold-segment',
  /** The disk takes and does nothing, for longer than a node waits without a word. */
  'disk-hang',
  /** The ledger thread is stuck as long. */
  'ledger-hang',
] as const

/** Clock jumps, milliseconds. */
export const CLOCK_JUMPS_MS = [3_600_000, -3_600_000, 900, -900] as const

export function drawFaults(
  prng: Prng,
  options: {
    readonly kinds: readonly FaultKind[]
    readonly count: number
    readonly untilMs: number
    /** How long they last, instead of the usual times, milliseconds. */
    readonly ms?: readonly number[]
  },
): Fault[] {
  if (options.kinds.length === 0) return []
  const lasting = options.ms ?? [1, 20, 300, 2_000, 8_000]
  const faults: Fault[] = []
  for (let drawn = 0; drawn < options.count; drawn += 1) {
    faults.push({
      at: prng.between(100, options.untilMs),
      kind: prng.pick(options.kinds),
      ms: prng.pick(lasting),
      count: prng.pick([1, prng.between(1, 10), prng.between(1, 100)]),
      seed: prng.uint32(),
    })
  }
  return faults.sort((a, b) => a.at - b.at || a.seed - b.seed)
}

export function describeFault(fault: Fault): string {
  return `${fault.kind} ms=${fault.ms} count=${fault.count}`
}
