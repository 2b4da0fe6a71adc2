import { isProblemCode, type ProblemCode, problemKind } from './error-mapping.js'
import { RETRY_AFTER_SECONDS, URL_LENGTH_MAX } from './limits.js'

/** Expected refusals on their way to the client as RFC 9457 problems. */

export interface ProblemIssue {
  readonly path: string
  readonly message: string
}

export interface ProblemOptions {
  /** For 400 and 422: what is wrong where. A 400 without them names `at` with its detail. */
  readonly errors?: readonly ProblemIssue[]
  /** Where it is wrong: a JSON pointer, a header's name, or empty for the request as a whole. */
  readonly at?: string
  /** Further members, for example `currentVersion`. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by handlers, written out by the server's error handler; never a bug. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly #options: ProblemOptions

  /** @param detail what happened this time and what to do next, one or two sentences */
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail)
    this.code = code
    this.status = problemKind(code).status
    const retryAfter: Record<string, string> =
      this.status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}
    this.headers = { ...retryAfter, ...options.headers }
    this.#options = options
  }

  /** The problem as a JSON object; `instance` is the path of the request that it answers. */
  toBody(instance?: string): Readonly<Record<string, unknown>> {
    const { members } = this.#options
    const errors = this.#errors
    return {
      ...members,
      type: `urn:gyre:problem:${this.code}`,
      title: problemKind(this.code).title,
      status: this.status,
      detail: this.message,
      ...(instance === undefined ? {} : { instance }),
      code: this.code,
      ...(errors === undefined ? {} : { errors }),
    }
  }

  /** Every 400 says what is wrong where, also one of the ledger's. */
  get #errors(): readonly ProblemIssue[] | undefined {
    const { errors, at = '' } = this.#options
    if (this.status !== 400 || (errors?.length ?? 0) > 0) return errors
    return [{ path: at, message: this.message }]
  }
}

/** A refusal of pure code as a problem. A code without a place in the table is our bug: 500. */
export function problemOf(refusal: {
  readonly code: string
  readonly message: string
  readonly errors?: readonly ProblemIssue[]
  readonly details?: Readonly<Record<string, unknown>>
}): Problem {
  const { code, message, errors, details } = refusal
  if (!isProblemCode(code)) {
    return new Problem('internal_error', `the node gave an answer that it cannot express: ${code}`)
  }
  const { retryAfter, ...members } = details ?? {}
  return new Problem(code, message, {
    members,
    ...(errors === undefined ? {} : { errors }),
    ...(typeof retryAfter === 'number' ? { headers: { 'retry-after': String(retryAfter) } } : {}),
  })
}

export function urlTooLong(): Problem {
  return new Problem('uri_too_long', `a URL may have ${URL_LENGTH_MAX} characters`)
}

/** Of what a node that stops does not begin any more. */
export function stoppingProblem(): Problem {
  return new Problem('not_ready', 'the node is stopping; ask another node')
}
