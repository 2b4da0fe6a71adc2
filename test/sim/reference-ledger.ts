import { AppError } from '@gyre/core/internal/base/app-error.js'
import { LedgerNode } from '@gyre/core/internal/protocol/ledger/ledger-node.js'
import { Overlay } from '@gyre/core/internal/protocol/state/overlay.js'
import type { ArcImage, ReferenceLedger } from './checkers/replay-equals.js'
import { hash128 } from './client.js'
import { SimTable } from './sim-table.js'

/** Above every row key. */
const ROWS_END = '\u0100'
const ALL = Number.MAX_SAFE_INTEGER

/** A second ledger of its own, in memory, that never crashes and never flushes. */
export function makeReference(arcCount: number): ReferenceLedger {
  const overlay = new Overlay(new SimTable())
  const self = { node: 'reference', boot: 0 }
  const ledger = new LedgerNode({ overlay, self, arcCount, hash: hash128 })
  return {
    apply: (entry) => {
      ledger.step(entry)
      ledger.takeOutputs()
    },
    image: (arc) => rowsAsText(overlay, arc),
  }
}

/** All rows of an arc, one a line, members in name order. Without state or on damaged state: none. */
export function rowsAsText(overlay: Overlay | null, arc: number): ArcImage {
  if (overlay === null) return { applied: -1, rows: '' }
  try {
    const rows = overlay.rows(arc).scan<object>('', ROWS_END, ALL)
    const lines = rows.map(({ key, value }) => `${JSON.stringify(key)} ${canonical(value)}`)
    return { applied: overlay.applied(arc), rows: lines.join('\n') }
  } catch (error) {
    if (error instanceof AppError) return { applied: -1, rows: '' }
    throw error
  }
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
  return `{${members.join(',')}}`
}
