import { assert } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import type { ArcIndex } from './arc-index.js'
import { bytesOfRows, type RowDraft } from './batch-writer.js'
import { type ReleaseOptions, relocateRow } from './release.js'
import type { Run } from './run-list.js'
import type { BehindDamage } from './scan-behind.js'

/** What becomes of a damaged log at a start that may go on without what is damaged. */
export interface GivingUp {
  /** The first segment that stays. */
  readonly from: number
  /** Where arcs begin from then on, if not where they did. */
  readonly firsts: ReadonlyMap<ArcId, LogIndex>
  /** What is needed of the segments before: runs of arcs, with the arcs as a scan of the whole log has them. */
  readonly copies: readonly { readonly arc: ArcIndex; readonly run: Run }[]
}

/** @param keep  arcs that the damage has not hit, and from where on their entries are needed */
export function planGivingUp(
  { from, price, unhurt }: BehindDamage,
  keep: ReadonlyMap<ArcId, LogIndex>,
): GivingUp {
  const firsts = new Map([...price.cost].map(([id, upTo]) => [id, keep.get(id) ?? upTo + 1]))
  const copies: GivingUp['copies'][number][] = []
  for (const [id, first] of keep) {
    const arc = unhurt.get(id)
    assert(arc !== undefined && arc.firstIndex <= first, `arc ${id} can be kept from ${first} on`)
    arc.needBehind(first - 1)
    for (let index = arc.runs.find(first); index < arc.runs.count; index += 1) {
      if (arc.runs.segmentAt(index) < from) copies.push({ arc, run: arc.runs.at(index) })
    }
  }
  return { from, firsts, copies }
}

/** Copies for one batch: as many as fit, at least one while any are left. It was in a batch before. */
export function nextCopies(
  { copies }: GivingUp,
  bytesMax: number,
  readRun: ReleaseOptions['readRun'],
): RowDraft[] {
  const rows: RowDraft[] = []
  let bytes = 0
  for (const { arc, run } of copies) {
    const row = relocateRow(arc, run, readRun)
    bytes += bytesOfRows([row])
    if (rows.length > 0 && bytes > bytesMax) break
    rows.push(row)
  }
  return rows
}
