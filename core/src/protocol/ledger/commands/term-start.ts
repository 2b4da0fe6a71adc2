import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { beginUpgrade } from '../upgrade-rows.js'

/**
 * A leader's first entry. Arc time may jump forward over a downtime here, and nowhere else; rows
 * that an earlier version wrote begin to be brought up to this one's layout. What follows (demand, the next timer and the leases are reported to the
 * new leader) is the business of ledger-node.ts.
 */
export function termStart(context: EntryContext): Applied {
  beginUpgrade(context)
  return { ok: true, result: 'done' }
}
