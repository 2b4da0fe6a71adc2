import { parseDuration } from './duration.js'
import type { SpecIssue } from './issues.js'
import { MEMOIZE_MS_MAX } from './limits.js'
import type { KnownService } from './make-plan.js'
import type { StepPlan } from './plan.js'
import type { StepSpec } from './submission.js'

/**
 * For how long a step's results are shared with other jobs: as the step says, else as its service does.
 * A result that one job may undo cannot be another's, so that no step is both memoised and compensated.
 *
 * @param path the step's, for `issues`
 */
export function planMemoize(
  path: string,
  step: StepSpec,
  service: KnownService,
  issues: SpecIssue[],
): Pick<StepPlan, 'memoize'> {
  const asked = step.memoize ?? service.memoizeMs
  if (asked === undefined || asked === false) return {}
  const fault = contradiction(step, service)
  if (fault !== null) issues.push({ path: `${path}/${fault.member}`, message: fault.message })
  const forMs = parseDuration(asked)
  if (forMs === null || forMs < 1 || forMs > MEMOIZE_MS_MAX) {
    issues.push({ path: `${path}/memoize`, message: 'must be a duration of 1 ms to 365 d' })
    return {}
  }
  return { memoize: { forMs, version: service.version ?? '0.0.0' } }
}

function contradiction(
  step: StepSpec,
  service: KnownService,
): { readonly member: string; readonly message: string } | null {
  if (step.onFailure === true) return null
  if (step.memoize === undefined) {
    if (step.compensate === undefined) return null
    const message = `the results of ${step.service} are memoised, and one job must not undo what others were given; say "memoize": false in the step`
    return { member: 'compensate', message }
  }
  if (step.compensate === undefined && !service.compensates) return null
  const whose =
    step.compensate === undefined ? `${step.service} has one of its own` : 'leave one out'
  const message = `not beside a compensation (${whose}): one job must not undo what others were given`
  return { member: 'memoize', message }
}
