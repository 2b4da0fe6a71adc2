import type { SpecIssue } from './issues.js'
import type { StepPlan, WhenPlan } from './plan.js'
import type { StepSpec } from './submission.js'

/** When a step runs at all: `when`, `onSkippedNeed` and `onFailure`, and what contradicts them. */

/** @param path the step's, for `issues` */
export function planConditions(
  path: string,
  step: StepSpec,
  issues: SpecIssue[],
): Pick<StepPlan, 'when' | 'onSkippedNeed' | 'onFailure'> {
  if (step.onFailure === true) checkFailureStep(path, step, issues)
  const when = planWhen(`${path}/when`, step, issues)
  return {
    ...(when === null ? {} : { when }),
    ...(step.onSkippedNeed === 'run' ? { onSkippedNeed: 'run' } : {}),
    ...(step.onFailure === true ? { onFailure: true } : {}),
  }
}

function planWhen(path: string, { when }: StepSpec, issues: SpecIssue[]): WhenPlan | null {
  if (when === undefined) return null
  const { $from: from, equals, exists } = when
  if ((equals === undefined) === (exists === undefined)) {
    issues.push({ path, message: 'give exactly one of equals and exists' })
    return null
  }
  if (exists !== undefined) return { from, is: { kind: 'exists', exists } }
  return equals === undefined ? null : { from, is: { kind: 'equals', value: equals } }
}

function checkFailureStep(path: string, step: StepSpec, issues: SpecIssue[]): void {
  for (const member of ['forEach', 'compensate'] as const) {
    if (step[member] === undefined) continue
    const message = 'not beside onFailure: such a step is one task, and nothing undoes it'
    issues.push({ path: `${path}/${member}`, message })
  }
}
