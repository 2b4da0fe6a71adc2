import type { JobPlan, StepPlan } from '@gyre/jobs'

/**
 * Steps of a job that never run, however the others end, by the conditions that the workload draws:
 * each job has an ID, each input a nonce and nothing that is named `nothing`, and a step without items
 * gives a token when it succeeds.
 */
export function skippedSteps({ steps }: JobPlan): ReadonlySet<string> {
  const skipped = new Set<string>()
  for (const step of steps) {
    const lost = step.needs.some((need) => skipped.has(need)) && step.onSkippedNeed !== 'run'
    if (lost || !isMet(step, skipped)) skipped.add(step.name)
  }
  return skipped
}

function isMet({ when }: StepPlan, skipped: ReadonlySet<string>): boolean {
  if (when === undefined) return true
  const [, root, name = ''] = when.from.split('/')
  const isThere = root === 'steps' ? !skipped.has(name) : name === 'id' || name === 'nonce'
  return when.is.kind === 'exists' && isThere === when.is.exists
}
