import { parseDuration } from './duration.js'
import type { SpecIssue } from './issues.js'
import type { RetryPlan } from './plan.js'
import type { DurationSpec, RetrySpec } from './submission.js'

/** Used where neither the step nor its service says more. */
export const RETRY_DEFAULT: RetryPlan = {
  attempts: 5,
  delayMs: 1000,
  factorMilli: 2000,
  maxDelayMs: 5 * 60_000,
  jitter: true,
}

/**
 * The step's policy over the service's over the default, member by member.
 *
 * @param path where the step's policy stands, for `issues`
 */
export function planRetry(
  path: string,
  layers: { readonly step: RetrySpec | undefined; readonly service: RetrySpec | undefined },
  issues: SpecIssue[],
): RetryPlan {
  const spec = { ...layers.service, ...layers.step }
  const delayMs = durationOr(RETRY_DEFAULT.delayMs, spec.delay, `${path}/delay`, issues)
  return {
    attempts: spec.attempts ?? RETRY_DEFAULT.attempts,
    delayMs,
    factorMilli: Math.round((spec.factor ?? RETRY_DEFAULT.factorMilli / 1000) * 1000),
    // A first delay over the default cap is meant: the cap gives way unless it was written.
    maxDelayMs: durationOr(
      Math.max(RETRY_DEFAULT.maxDelayMs, delayMs),
      spec.maxDelay,
      `${path}/maxDelay`,
      issues,
    ),
    jitter: spec.jitter ?? RETRY_DEFAULT.jitter,
  }
}

/** An attempt timeout in milliseconds, at least 1. */
export function planTimeout(
  path: string,
  spec: DurationSpec | undefined,
  defaultMs: number,
  issues: SpecIssue[],
): number {
  const timeoutMs = durationOr(defaultMs, spec, path, issues)
  if (timeoutMs < 1) issues.push({ path, message: 'must be at least 1 ms' })
  return timeoutMs
}

function durationOr(
  defaultMs: number,
  spec: DurationSpec | undefined,
  path: string,
  issues: SpecIssue[],
): number {
  if (spec === undefined) return defaultMs
  const ms = parseDuration(spec)
  if (ms === null) issues.push({ path, message: 'must be a duration of at most 3650d' })
  return ms ?? defaultMs
}
