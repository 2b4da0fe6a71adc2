import type { JobPlan } from '@gyre/jobs'
import { START_HINTS_MAX } from './limits.js'

/** Services of the tasks that are ready at once, one for each: they may start in the same commit. */
export function startHints(plan: JobPlan): string[] {
  const hints: string[] = []
  for (const { needs, service, forEach } of plan.steps) {
    if (needs.length > 0) continue
    const items = Array.isArray(forEach?.items) ? forEach.items.length : 1
    const count = Math.min(items, forEach?.concurrency ?? 1, START_HINTS_MAX - hints.length)
    for (let i = 0; i < count; i += 1) hints.push(service)
  }
  return hints
}
