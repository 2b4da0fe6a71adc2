/** What is wrong with a submission, for the one who wrote it. */
export interface SpecIssue {
  /** JSON pointer to the member that is wrong. */
  readonly path: string
  /** What is wrong and what would be right. */
  readonly message: string
}

/** Why a submission was refused; codes are listed in core/docs/reference/errors.md. */
export interface SpecRefusal {
  readonly ok: false
  readonly code:
    | 'invalid_request'
    | 'unknown_field'
    | 'invalid_job'
    | 'unknown_service'
    | 'unknown_job'
  readonly message: string
  readonly errors: readonly SpecIssue[]
}

/** Issues shown at once: a thousand broken steps need no thousand lines. */
const ISSUES_MAX = 20

export function refusal(
  code: SpecRefusal['code'],
  message: string,
  errors: readonly SpecIssue[],
): SpecRefusal {
  return { ok: false, code, message, errors: errors.slice(0, ISSUES_MAX) }
}
