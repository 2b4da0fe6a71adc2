/** Codes that the node itself gives in `error` of jobs and attempts; handlers have codes of their own. */
export const JOB_ERROR_CODES: readonly string[] = [
  'service_failed',
  'service_unavailable',
  'attempt_timed_out',
  'attempt_cancelled',
  'attempt_lost',
  'attempt_not_started',
  'attempt_unknown',
  'attempt_aborted',
  'input_unresolved',
  'input_too_large',
  'items_invalid',
  'too_many_items',
  'no_compensation',
  'output_invalid',
  'output_too_large',
]
