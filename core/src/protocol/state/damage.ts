import { AppError } from '../../base/app-error.js'
import type { ArcId } from '../../base/ids.js'
import { arcOfDamageMark, arcOfTableKey, isDamageMark, isRowOfArc } from './row-key.js'

/** What is wrong with the state of one arc, and says nothing of any other. */
export interface ArcDamage {
  readonly arc: ArcId
  /** Table key of the row. */
  readonly key: string
  /** In words, without a path of the host. */
  readonly found: string
}

/**
 * Reads what a table says of a row that is not what was written (table.ts).
 *
 * @returns null: it is something else, or the table is not certain whose row it is, so that none of it
 *   can be trusted
 */
export function damageOf(error: unknown): ArcDamage | null {
  if (!(error instanceof AppError) || error.code !== 'state_damaged') return null
  const { key, found } = error.details
  if (typeof key !== 'string' || typeof found !== 'string') return null
  const arc = arcNamedBy(key)
  return arc === null ? null : { arc, key, found }
}

/** Of a mark only the key matters. */
function arcNamedBy(key: string): ArcId | null {
  if (isRowOfArc(key)) return arcOfTableKey(key)
  return isDamageMark(key) ? arcOfDamageMark(key) : null
}
