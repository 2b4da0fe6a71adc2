import { FairTurns } from '../base/fair-turns.js'
import {
  CHECK_STEPS_MAX,
  CHECK_TURN_MS,
  DEAR_CHECKS_MAX,
  QUICK_CHECK_STEPS_MAX,
  REQUEST_CHECK_STEPS_MAX,
} from './limits.js'
import { Problem, type ProblemIssue, stoppingProblem } from './problem.js'

/** Steps that checking may take; what it takes is taken off. */
export interface StepAllowance {
  left: number
}

/** What is wrong with a value; `ranOut`: nothing is known, the allowance did not do. */
export type CheckedIssue = ProblemIssue & { readonly ranOut?: true }

/** One request whose jobs are checked: what they take together, and whether anybody wants to know. */
export interface CheckedRequest {
  /** The response to it: destroyed once its client has gone. No signal: each would cost all requests. */
  readonly response: { readonly destroyed: boolean }
  stepsLeft: number
}

export function newCheckedRequest(response: CheckedRequest['response']): CheckedRequest {
  return { response, stepsLeft: REQUEST_CHECK_STEPS_MAX }
}

/**
 * When the inputs of jobs are checked: on the thread that answers everybody, so cheap checks some ms at a
 * time, and dear ones one by one, the requests in turn. In between others are heard.
 */
export class CheckTurns {
  readonly #cheap: FairTurns<CheckedRequest>
  readonly #dear: FairTurns<CheckedRequest>
  readonly #isStopping: () => boolean

  constructor(isStopping: () => boolean) {
    const host = { now: () => performance.now(), later: (go: () => void) => setImmediate(go) }
    this.#cheap = new FairTurns(host, CHECK_TURN_MS)
    this.#dear = new FairTurns(host, 0)
    this.#isStopping = isStopping
  }

  /**
   * @param check  may be called twice: what turns out to be dear begins anew when its turn comes
   * @throws Problem when nobody waits for it any more, or its request has taken too much
   */
  async run(
    request: CheckedRequest,
    check: (allowance: StepAllowance) => CheckedIssue | null,
  ): Promise<ProblemIssue | null> {
    const issue = await this.#cheap.run(request, () => {
      this.refuseWhatIsOver(request)
      return check({ left: QUICK_CHECK_STEPS_MAX })
    })
    if (issue?.ranOut !== true) return issue
    if (!this.#dear.isWaiting(request) && this.#dear.waiting >= DEAR_CHECKS_MAX) {
      const detail = 'too many jobs wait for their inputs to be checked; nothing was stored'
      throw new Problem('overloaded', detail)
    }
    return this.#dear.run(request, () => {
      this.refuseWhatIsOver(request)
      return dearIssue(request, check)
    })
  }

  /** @throws Problem that nobody reads when the client has gone, `not_ready` when the node stops */
  refuseWhatIsOver({ response }: CheckedRequest): void {
    if (this.#isStopping()) throw stoppingProblem()
    if (response.destroyed)
      throw new Problem('request_timeout', 'the client has gone; nothing was stored')
  }
}

function dearIssue(
  request: CheckedRequest,
  check: (allowance: StepAllowance) => CheckedIssue | null,
): ProblemIssue | null {
  const most = Math.min(request.stepsLeft, CHECK_STEPS_MAX)
  const allowance = { left: most }
  const issue = most > QUICK_CHECK_STEPS_MAX ? check(allowance) : RAN_OUT
  request.stepsLeft -= most - Math.max(allowance.left, 0)
  if (issue?.ranOut === true && most < CHECK_STEPS_MAX) {
    throw new Problem(
      'payload_too_large',
      `the jobs of one request may take ${REQUEST_CHECK_STEPS_MAX} steps to check, and those before this one took ` +
        'them; submit it in another request',
    )
  }
  return issue
}

const RAN_OUT: CheckedIssue = { path: '', message: '', ranOut: true }
