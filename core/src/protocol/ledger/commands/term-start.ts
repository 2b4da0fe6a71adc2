import type { Applied } from '../outcome.js'

/**
 * A leader's first entry. It changes no row but the clock: arc time may jump forward over a downtime
 * here, and nowhere else. What follows (demand, the next timer and the leases are reported to the
 * new leader) is the business of ledger-node.ts.
 */
export function termStart(): Applied {
  return { ok: true, result: 'done' }
}
