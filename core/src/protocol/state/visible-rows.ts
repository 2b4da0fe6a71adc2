import type { Table, TableRow } from './table.js'

/** A row that was changed since the last commit. */
export interface DirtyRow {
  /** undefined: deleted; a string: settled, its JSON text. */
  value: object | string | undefined
  /** False only when the table certainly holds no such row. */
  readonly maybeInTable: boolean
}

export interface VisibleRange {
  /** Keys relative to the arc: from ≤ key < to. */
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly reverse: boolean
}

/**
 * The first `limit` rows of the table in a range that no dirty row hides.
 *
 * It reads in pieces, each twice as long as the one before: a few hidden rows cost one short read, a
 * thousand of them a handful of longer ones.
 */
export function readVisible(
  table: Table,
  prefix: string,
  dirty: ReadonlyMap<string, DirtyRow>,
  range: VisibleRange,
): TableRow[] {
  const rows: TableRow[] = []
  let from = prefix + range.from
  let to = prefix + range.to
  let ask = range.limit + Math.min(dirty.size, SPARE_ROWS)
  while (from < to) {
    const piece = table.scan(from, to, ask, range.reverse)
    for (const row of piece) {
      if (!dirty.has(row.key.slice(prefix.length))) rows.push(row)
      if (rows.length === range.limit) return rows
    }
    const last = piece.at(-1)
    if (last === undefined || piece.length < ask) break
    if (range.reverse) to = last.key
    else from = `${last.key}\u0000`
    ask = Math.min(ask * 2, PIECE_ROWS_MAX)
  }
  return rows
}

/** Rows asked for beyond the limit, since the first ones are often hidden. */
const SPARE_ROWS = 2

/** Rows of one read; more would hold many values in memory at once. */
const PIECE_ROWS_MAX = 512
