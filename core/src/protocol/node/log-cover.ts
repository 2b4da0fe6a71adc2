import { type ArcId, arcName, type LogIndex } from '../../base/ids.js'
import { reachFault } from './log-reach.js'
import type { DamagedArc } from './messages.js'

/** What the state store holds, also after a power cut. */
export interface DurableState {
  readonly applied: readonly (readonly [ArcId, LogIndex])[]
  /** Arcs whose rows in it have rotted. */
  readonly damaged: readonly DamagedArc[]
}

/** What it costs to go on without the damaged segments of a log, and without those before them. */
export interface LogPrice {
  /**
   * Arc → the newest entry that no later segment holds: whoever can do without all entries up to it needs
   * nothing of what is given up. Arcs that lose none are left out.
   */
  readonly cost: ReadonlyMap<ArcId, LogIndex>
  /** Arcs that the damage has not hit, and the first entry that the log holds of each: they can be kept. */
  readonly whole: ReadonlyMap<ArcId, LogIndex>
  /** First and last entry of each arc, as the damaged log tells them. */
  readonly ranges: ReadonlyMap<ArcId, LogRange>
}

type LogRange = Parameters<typeof reachFault>[1]

/** Why the log may not give up what is damaged; or from where on arcs need their entries all the same. */
export type Cover =
  | { readonly kind: 'lacking'; readonly message: string }
  | { readonly kind: 'covered'; readonly keep: ReadonlyMap<ArcId, LogIndex> }

/**
 * Whether a log can do without what a damaged part of it alone may hold: each entry there was applied,
 * durably, or belongs to an arc that the damage has not hit, so that it can be kept.
 *
 * An arc whose rows have rotted needs its entries from the first one on. Where the log has lost some of
 * them it stands still; it hides nothing by that as long as all that is lost was applied.
 *
 * Nothing is given up for a state that does not go with this log.
 */
export function coverOf(price: LogPrice, { applied, damaged }: DurableState): Cover {
  const { cost, whole } = price
  const held = new Map(applied)
  const rotten = new Set(damaged.map(([arc]) => arc))
  for (const [arc, , index] of damaged) held.set(arc, index)
  const misfit = misfitOf(price, held, rotten)
  if (misfit !== null) return { kind: 'lacking', message: misfit }
  const keep = new Map<ArcId, LogIndex>()
  const lacking: ArcId[] = []
  for (const [arc, upTo] of cost) {
    const index = held.get(arc) ?? 0
    const neededFrom = rotten.has(arc) ? 1 : index + 1
    if (neededFrom > upTo) continue
    const isWhole = (whole.get(arc) ?? Infinity) <= neededFrom
    if (isWhole) keep.set(arc, neededFrom)
    else if (index < upTo) lacking.push(arc)
  }
  const [first] = lacking.toSorted((a, b) => a - b)
  if (first === undefined) return { kind: 'covered', keep }
  const others = lacking.length === 1 ? '' : `; it lacks entries of ${lacking.length - 1} more arcs`
  const message =
    `the state cannot stand in for it: it holds ${arcName(first)} up to entry ${held.get(first) ?? 0}, ` +
    `and entries up to ${cost.get(first)} stood there or before${others}`
  return { kind: 'lacking', message }
}

/** As at any start (load-arcs.ts): an arc whose rows have rotted may have forgotten how far it was. */
function misfitOf(
  { ranges }: LogPrice,
  held: ReadonlyMap<ArcId, LogIndex>,
  rotten: ReadonlySet<ArcId>,
): string | null {
  for (const arc of new Set([...ranges.keys(), ...held.keys()])) {
    const range = ranges.get(arc) ?? NO_ENTRIES
    const known = held.get(arc) ?? 0
    const index = rotten.has(arc) ? Math.max(known, range.firstIndex - 1) : known
    const fault = reachFault(arc, range, index)
    if (fault !== null) return fault.message
  }
  return null
}

const NO_ENTRIES: LogRange = { firstIndex: 1, lastIndex: 0 }
