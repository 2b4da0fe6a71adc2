/** Codes of an explanation's reasons. The ledger tells all but `owner_unavailable`. */
export const EXPLAIN_CODES: readonly string[] = [
  'finished',
  'running',
  'backoff',
  'scheduled',
  'no_worker',
  'refused',
  'no_credit',
  'waiting_needs',
  'owner_unavailable',
  'cancelling',
  'compensating',
  'compensation_failed',
  'poison',
]
