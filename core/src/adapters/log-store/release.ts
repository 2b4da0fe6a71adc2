import type { LogIndex } from '../../base/ids.js'
import type { LogEntry } from '../../ports/log-store.js'
import type { ArcIndex } from './arc-index.js'
import { type RowDraft, rowDraft } from './batch-writer.js'
import { RELOCATED_BYTES_PER_BATCH } from './limits.js'
import type { Run } from './run-list.js'

/** Rows that ride with the next batch, so that the oldest segment can go. */
export interface Release {
  readonly rows: readonly RowDraft[]
  /** True: once the batch is durable, nothing in the oldest segment is needed any more. */
  readonly isComplete: boolean
}

export interface ReleaseOptions {
  readonly arcs: Iterable<ArcIndex>
  readonly oldestSegment: number
  /** Above this many bytes of live entries nothing is copied: the arcs have to be compacted first. */
  readonly relocatedBytesMax: number
  readonly readRun: (run: Run) => LogEntry[]
}

/** What one arc has in the oldest segment. */
interface Holding {
  readonly arc: ArcIndex
  readonly live: readonly Run[]
  readonly lastIndex: LogIndex
}

/**
 * Plans how to free the oldest segment: entries that their arcs do not need are given up by
 * `first-index` rows; a few that an idle arc still needs are copied forward by `relocate` rows, some
 * with each batch. Without this one idle arc would keep the whole log from ever shrinking.
 *
 * @returns null when too much of the segment is still needed
 */
export function planRelease(options: ReleaseOptions): Release | null {
  const holdings: Holding[] = []
  let liveBytes = 0
  for (const arc of options.arcs) {
    const holding = holdingOf(arc, options.oldestSegment)
    if (holding === null) continue
    holdings.push(holding)
    for (const run of holding.live) liveBytes += run.body.bytes
  }
  if (liveBytes > options.relocatedBytesMax) return null
  const pinned = holdings.filter((holding) => holding.live.length > 0)
  if (pinned.length > 0) return { rows: relocate(pinned, options), isComplete: false }
  const rows = holdings.map(({ arc, lastIndex }) => firstIndexRow(arc, lastIndex + 1))
  return { rows, isComplete: true }
}

/** All runs are looked at: copied ones stand between others, in any order of segments. */
function holdingOf(arc: ArcIndex, segment: number): Holding | null {
  const runs: Run[] = []
  for (let index = 0; index < arc.runs.count; index += 1) {
    if (arc.runs.segmentAt(index) === segment) runs.push(arc.runs.at(index))
  }
  const last = runs[runs.length - 1]
  if (last === undefined) return null
  return { arc, live: runs.filter((run) => run.last >= arc.neededFrom), lastIndex: last.last }
}

/** Copies as much as one batch may carry, at least one run. */
function relocate(pinned: readonly Holding[], options: ReleaseOptions): RowDraft[] {
  const rows: RowDraft[] = []
  let bytes = 0
  for (const { arc, live } of pinned) {
    if (bytes >= RELOCATED_BYTES_PER_BATCH) break
    if (arc.neededFrom > arc.firstIndex) rows.push(firstIndexRow(arc, arc.neededFrom))
    for (const run of live) {
      if (bytes >= RELOCATED_BYTES_PER_BATCH) break
      rows.push(relocateRow(arc, run, options.readRun))
      bytes += run.body.bytes
    }
  }
  return rows
}

/** Copies what is needed of a run. */
export function relocateRow(arc: ArcIndex, run: Run, readRun: ReleaseOptions['readRun']): RowDraft {
  const from = Math.max(run.first, arc.neededFrom, arc.firstIndex)
  const entries = readRun(run).filter((entry) => entry.index >= from)
  const row = { kind: 'relocate' as const, arc: arc.arc, first: from, last: run.last }
  return rowDraft({ ...row, lastTerm: entries[entries.length - 1]?.term ?? 0 }, entries)
}

function firstIndexRow(arc: ArcIndex, first: LogIndex): RowDraft {
  return rowDraft({ kind: 'first-index', arc: arc.arc, first })
}
