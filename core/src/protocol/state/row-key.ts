import { broken } from '../../base/assert.js'
import type { ArcId } from '../../base/ids.js'
import { isLatin1 } from '../../base/latin1.js'

/**
 * How the rows of all arcs share one table: table key = four hex digits of the arc ‖ the row's key.
 * The arc's applied index is a row of its own under a key that no row of the ledger can have.
 */

const ARC_DIGITS = 4

/** Sorts before every row of its arc: keys of rows begin above U+0000. */
const APPLIED_KEY = '\u0000applied'

/** The least key that a row of the ledger may have. */
export const FIRST_ROW_KEY = '\u0001'

export function arcPrefix(arc: ArcId): string {
  if (!Number.isInteger(arc) || arc < 0 || arc > 0xffff) broken(`arc out of range: ${arc}`)
  return arc.toString(16).padStart(ARC_DIGITS, '0')
}

export function arcOfTableKey(tableKey: string): ArcId {
  return Number.parseInt(tableKey.slice(0, ARC_DIGITS), 16)
}

/** False: a row of the table itself, beside those of the arcs. */
export function isRowOfArc(tableKey: string): boolean {
  return tableKey < ARCS_END
}

/** Above every key of an arc. */
export const ARCS_END = 'g'

const MARKS = '~damaged/'

/** Where it is noted that an arc's rows cannot be trusted. */
export function damageMark(arc: ArcId): string {
  return MARKS + arcPrefix(arc)
}

export const DAMAGE_MARKS = { from: MARKS, to: '~damaged0' } as const

export function isDamageMark(key: string): boolean {
  return key >= DAMAGE_MARKS.from && key < DAMAGE_MARKS.to
}

export function arcOfDamageMark(key: string): ArcId {
  return arcOfTableKey(key.slice(MARKS.length))
}

export function appliedKey(arc: ArcId): string {
  return arcPrefix(arc) + APPLIED_KEY
}

/** Greater than every table key of the arc, not greater than any of a later arc. */
export function arcEnd(arc: ArcId): string {
  return arc === 0xffff ? ARCS_END : arcPrefix(arc + 1)
}

export function assertRowKey(key: string): void {
  if (key < FIRST_ROW_KEY || !isLatin1(key)) broken(`not a row key: ${JSON.stringify(key)}`)
}
