/**
 * The only place where a code of ours meets an HTTP status. Every code that a client can get in a
 * problem stands here and in core/docs/reference/errors.md; a test compares the two.
 */

interface ProblemKind {
  readonly status: number
  /** The same for every occurrence; what happened this time is the problem's `detail`. */
  readonly title: string
}

const PROBLEM_KINDS = {
  // The request itself.
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  unknown_field: { status: 400, title: 'The request has a member that is not known' },
  invalid_job: { status: 400, title: 'The job is not valid' },
  invalid_key: { status: 400, title: 'The key is not valid' },
  invalid_id: { status: 400, title: 'The ID is not valid' },
  invalid_cursor: { status: 400, title: 'The cursor is not valid' },
  invalid_condition: { status: 400, title: 'The condition is not valid' },
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  uri_too_long: { status: 414, title: 'The URL is too long' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  route_not_found: { status: 404, title: 'There is no such resource' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },

  // What it asks for.
  job_not_found: { status: 404, title: 'There is no such job' },
  step_not_found: { status: 404, title: 'The job has no such step' },
  record_not_found: { status: 404, title: 'There is no such record' },
  job_finished: { status: 409, title: 'The job has finished' },
  job_not_finished: { status: 409, title: 'The job has not finished' },
  job_compensating: { status: 409, title: 'The job is being compensated' },
  nothing_to_retry: { status: 409, title: 'There is nothing to retry' },
  output_missing: { status: 409, title: 'A step before has no output' },
  nothing_to_fail: { status: 409, title: 'There is no failed compensation' },
  nothing_to_skip: { status: 409, title: 'There is nothing to skip' },
  version_conflict: { status: 412, title: 'The record has another version' },
  unknown_service: { status: 422, title: 'The service is not known' },
  unknown_job: { status: 422, title: 'The job definition is not known' },
  schema_mismatch: { status: 422, title: 'The input does not fit the schema' },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key was used for another request',
  },
  too_late: { status: 422, title: 'It is past notAfter' },

  // The node.
  internal_error: { status: 500, title: 'The node failed to handle the request' },
  overloaded: { status: 503, title: 'The node has too much to do' },
  apply_stopped: { status: 503, title: 'The node cannot apply what is committed' },
  arc_unavailable: { status: 503, title: 'This part of the ring is not available' },
  not_ready: { status: 503, title: 'The node is not ready' },
  outcome_unknown: { status: 504, title: 'The outcome is not known' },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type ProblemCode = keyof typeof PROBLEM_KINDS

export const PROBLEM_CODES = Object.keys(PROBLEM_KINDS) as readonly ProblemCode[]

export function problemKind(code: ProblemCode): ProblemKind {
  return PROBLEM_KINDS[code]
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_KINDS, code)
}
