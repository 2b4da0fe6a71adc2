import type { SpecIssue } from './issues.js'
import type { Json } from './json.js'
import { CONCURRENCY_DEFAULT, FOR_EACH_ITEMS_MAX } from './limits.js'
import type { ForEachPlan } from './plan.js'
import type { StepSpec } from './submission.js'
import { pointerOf } from './template.js'

/** @param path the step's, for `issues` */
export function planForEach(path: string, step: StepSpec, issues: SpecIssue[]): ForEachPlan | null {
  if (step.forEach === undefined) {
    for (const member of ['concurrency', 'onItemError', 'collect'] as const) {
      if (step[member] === undefined) continue
      issues.push({ path: `${path}/${member}`, message: 'means something only beside forEach' })
    }
    return null
  }
  const fault = itemsFault(step.forEach)
  if (fault !== null) issues.push({ path: `${path}/forEach`, message: fault })
  return {
    items: step.forEach,
    concurrency: step.concurrency ?? CONCURRENCY_DEFAULT,
    onItemError: step.onItemError ?? 'fail',
    collect: step.collect ?? 'array',
  }
}

/** What a template brings in is checked when the step starts. */
function itemsFault(items: Json): string | null {
  if (Array.isArray(items)) return countFault(items.length)
  if (pointerOf(items) !== undefined) return null
  const range = soleRange(items)
  if (range === undefined) return 'must be an array, {"range": N} or {"$from": POINTER}'
  if (pointerOf(range) !== undefined) return null
  if (typeof range !== 'number' || !Number.isInteger(range) || range < 0) {
    return 'range must be an integer of at least 0'
  }
  return countFault(range)
}

function soleRange(items: Json): Json | undefined {
  if (typeof items !== 'object' || items === null || !('range' in items)) return undefined
  return Object.keys(items).length === 1 ? items.range : undefined
}

function countFault(count: number): string | null {
  if (count <= FOR_EACH_ITEMS_MAX) return null
  return `has ${count} items; the limit is ${FOR_EACH_ITEMS_MAX}`
}
