import type { RetryPlan } from '@gyre/jobs'
import type { Duration } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'

/**
 * How long to wait before the next attempt, in integers only: apply must give the same on every
 * machine.
 *
 * The delay grows by `factorMilli` thousandths per attempt up to `maxDelayMs`; with jitter it is
 * drawn evenly between half of that and all of it, so that jobs that failed together do not come
 * back together.
 *
 * @param failures  attempts that ended so far, ≥ 1; the first delay is `delayMs` itself
 * @returns milliseconds, 0 … maxDelayMs
 */
export function backoffMs(policy: RetryPlan, failures: number, prng: () => Prng): Duration {
  let delay = Math.min(policy.delayMs, policy.maxDelayMs)
  for (let step = 1; step < failures && delay < policy.maxDelayMs; step += 1) {
    const grown = Math.min(timesMilli(delay, policy.factorMilli), policy.maxDelayMs)
    if (grown === delay) break
    delay = grown
  }
  if (!policy.jitter || delay < 2) return delay
  const half = Math.floor(delay / 2)
  return half + prng().below(Math.min(delay - half + 1, 0x100000000))
}

/** floor(value × milli ÷ 1000) without leaving the safe integers. */
function timesMilli(value: number, milli: number): number {
  const thousands = Math.floor(value / 1000)
  return thousands * milli + Math.floor(((value % 1000) * milli) / 1000)
}
