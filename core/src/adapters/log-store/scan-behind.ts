import type { ArcId, LogIndex } from '../../base/ids.js'
import type { Files } from '../../ports/files.js'
import type { LogPrice } from '../../protocol/node/log-cover.js'
import type { ArcIndex } from './arc-index.js'
import { LogScan, type ScanResult } from './log-scan.js'

/** A damaged log without its damaged segments and those before them. */
export interface BehindDamage {
  /** As of a log that begins behind them, but for the entries that `price` tells of. */
  readonly scan: ScanResult
  /** The first segment that is left. */
  readonly from: number
  readonly price: LogPrice
  /** Arcs of which the damage has hit nothing, with all that the log holds of them, also before it. */
  readonly unhurt: ReadonlyMap<ArcId, ArcIndex>
}

/**
 * Looks what a damaged log holds behind its damage. Closed segments only: the first batch of the next
 * one repeats term, vote and range of every arc, so that nothing but entries can be lost with them; and
 * what was appended last is verified as at any start.
 *
 * @returns null where more may be missing than entries of which that tells: the newest segment is hurt,
 *   or files lack what no damaged place explains
 */
export function scanBehind(files: Files, folder: string, found: ScanResult): BehindDamage | null {
  const damaged = new Set<number>()
  let { hurt } = found
  // The newest one is the last of these: there is none behind it.
  for (let from = 1; hurt.size > 0; ) {
    const next = Math.max(...hurt) + 1
    if (next <= from || !found.segments.has(next)) return null
    from = next
    for (const number of hurt) damaged.add(number)
    const scan = new LogScan(files, folder, { from, damaged, isOpen: true }).run()
    if (scan.damaged.length === 0) {
      const unhurt = unhurtIn(found)
      return { scan, from, price: priceOf(scan, found, unhurt), unhurt }
    }
    hurt = scan.hurt
  }
  return null
}

function priceOf(scan: ScanResult, found: ScanResult, unhurt: BehindDamage['unhurt']): LogPrice {
  const whole = new Map([...unhurt].map(([id, arc]) => [id, arc.firstIndex]))
  const ranges = new Map([...found.arcs].map(([id, arc]) => [id, arc.recovered()]))
  return { cost: costOf(scan), whole, ranges }
}

function costOf({ arcs }: ScanResult): ReadonlyMap<ArcId, LogIndex> {
  const cost = new Map<ArcId, LogIndex>()
  for (const [id, arc] of arcs) {
    const upTo = arc.lastMissing()
    if (upTo !== null) cost.set(id, upTo)
  }
  return cost
}

/** Where heads and directories are whole and the chain holds, all rows of the other arcs are known. */
function unhurtIn({ arcs, damaged }: ScanResult): ReadonlyMap<ArcId, ArcIndex> {
  if (damaged.some((damage) => damage.arcs === 'all')) return new Map()
  const named = new Set(damaged.flatMap(({ arcs: hit }) => (hit === 'all' ? [] : hit)))
  return new Map([...arcs].filter(([arc]) => !named.has(arc)))
}
