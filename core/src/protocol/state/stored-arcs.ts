import { AppError } from '../../base/app-error.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import { type ArcDamage, damageOf } from './damage.js'
import {
  appliedKey,
  ARCS_END,
  arcEnd,
  arcOfDamageMark,
  arcOfTableKey,
  DAMAGE_MARKS,
} from './row-key.js'
import type { Table } from './table.js'

/** What a table holds of the arcs as such. Reads only. */

export type StoredArc = ArcDamage | { readonly arc: ArcId; readonly applied: LogIndex }

/**
 * Every arc that has rows, in order: the first of them is visited, then the arc's applied index.
 *
 * @throws AppError `state_damaged` when an applied index cannot be trusted, and not of one arc alone
 */
export function* storedArcs(table: Table): Generator<StoredArc> {
  for (let from = ''; ; ) {
    const stored = unlessDamaged(() => {
      const first = table.scan(from, ARCS_END, 1, false)[0]
      if (first === undefined) return null
      const arc = arcOfTableKey(first.key)
      return { arc, applied: decodeApplied(arc, table.get(appliedKey(arc))) }
    })
    if (stored === null) return
    yield stored
    from = arcEnd(stored.arc)
  }
}

/** Arcs that were found to be damaged, and what was found; the marks themselves may rot as well. */
export function* markedArcs(table: Table): Generator<ArcDamage> {
  for (let from: string = DAMAGE_MARKS.from; ; ) {
    const marked = unlessDamaged(() => {
      const mark = table.scan(from, DAMAGE_MARKS.to, 1, false)[0]
      if (mark === undefined) return null
      const { found }: { readonly found: string } = JSON.parse(mark.value)
      return { arc: arcOfDamageMark(mark.key), key: mark.key, found }
    })
    if (marked === null) return
    yield marked
    from = `${marked.key}\u0000`
  }
}

function unlessDamaged<T>(read: () => T): T | ArcDamage {
  try {
    return read()
  } catch (error) {
    const damage = damageOf(error)
    if (damage === null) throw error
    return damage
  }
}

function decodeApplied(arc: ArcId, text: string | undefined): LogIndex {
  const row: unknown = text === undefined ? undefined : JSON.parse(text)
  const index = typeof row === 'object' && row !== null && 'index' in row ? row.index : undefined
  if (typeof index === 'number' && Number.isSafeInteger(index) && index > 0) return index
  throw new AppError(
    'state_damaged',
    `the state database holds rows of arc ${arc} but no valid applied index for it: ` +
      'it cannot be trusted and must be rebuilt from the log',
    { details: { arc } },
  )
}
