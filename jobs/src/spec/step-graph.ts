import type { Json } from './json.js'
import type { SpecIssue } from './issues.js'
import { POINTER_LENGTH_MAX } from './limits.js'
import { formatPointer, parsePointer } from './pointer.js'
import { STEP_NAME_PATTERN, type StepSpec, type StepsSpec } from './submission.js'
import { pointersIn } from './template.js'

/**
 * Which step needs which: written `needs` and those that pointers imply, checked, and an order in
 * which every step stands behind the steps that it needs.
 */

export interface StepGraph {
  /** Names in the order of the plan. */
  readonly order: readonly string[]
  /** Needs of each step, without duplicates. */
  readonly needs: ReadonlyMap<string, readonly string[]>
}

const STEP_NAME = new RegExp(STEP_NAME_PATTERN)

/** Adds what is wrong to `issues`; the graph means something only when nothing was added. */
export function planGraph(
  steps: StepsSpec,
  output: Json | undefined,
  issues: SpecIssue[],
): StepGraph {
  const names = new Set(Object.keys(steps))
  const failureSteps = new Set([...names].filter((name) => steps[name]?.onFailure === true))
  const needs = new Map<string, readonly string[]>()
  for (const [name, step] of Object.entries(steps)) {
    checkName(name, issues)
    needs.set(name, needsOf(name, step, { names, failureSteps }, issues))
  }
  checkFailureSteps(steps, needs, issues)
  if (output !== undefined) checkOutput(steps, output, issues)
  const order = topologicalOrder(needs)
  if (order.length < names.size && issues.length === 0) issues.push(cycleIssue(needs, order))
  return { order, needs }
}

/** Steps that run when the job fails and the others are two graphs: neither can wait for the other. */
function checkFailureSteps(
  steps: StepsSpec,
  needs: ReadonlyMap<string, readonly string[]>,
  issues: SpecIssue[],
): void {
  const entries = Object.entries(steps)
  if (entries.length > 0 && entries.every(([, { onFailure }]) => onFailure === true)) {
    issues.push({ path: '/steps', message: 'at least one step must be without onFailure' })
  }
  for (const [name, { onFailure }] of entries) {
    for (const need of needs.get(name) ?? []) {
      if (!Object.hasOwn(steps, need) || steps[need]?.onFailure === onFailure) continue
      const message =
        onFailure === true
          ? `runs when all else has stopped, so it cannot need ${clip(need)}, which is without onFailure`
          : `cannot need ${clip(need)}, which runs only when the job has failed`
      issues.push({ path: `/steps${formatPointer([name])}`, message })
    }
  }
}

function checkOutput(steps: StepsSpec, output: Json, issues: SpecIssue[]): void {
  const names = new Set(Object.keys(steps))
  for (const need of impliedNeeds({ path: '/output', names, issues }, output)) {
    if (steps[need]?.onFailure !== true) continue
    const message = `there is no output of ${clip(need)} when the job succeeds: it is an onFailure step`
    issues.push({ path: '/output', message })
  }
}

function checkName(name: string, issues: SpecIssue[]): void {
  if (STEP_NAME.test(name) && name !== '__proto__') return
  const message = 'a step name has 1 to 64 characters of A-Z a-z 0-9 _ - and is not __proto__'
  issues.push({ path: `/steps${formatPointer([name])}`, message })
}

function needsOf(
  name: string,
  step: StepSpec,
  { names, failureSteps }: Record<'names' | 'failureSteps', ReadonlySet<string>>,
  issues: SpecIssue[],
): readonly string[] {
  const path = `/steps${formatPointer([name])}`
  const written = step.needs ?? []
  for (const [index, need] of written.entries()) {
    if (!names.has(need)) issues.push({ path: `${path}/needs/${index}`, message: noStep(need) })
  }
  const onFailure = step.onFailure === true
  const at = (member: string): Place => ({ path: `${path}/${member}`, names, issues, onFailure })
  const implied = [
    ...impliedNeeds(at('input'), step.input ?? null),
    ...impliedNeeds(at('forEach'), step.forEach ?? null),
    ...impliedNeeds({ ...at('when'), ofItem: false }, whenTemplate(step)),
  ]
  // A hook may look at steps that never ran: it gets null for them, and needs nothing.
  impliedNeeds(at('compensate/input'), step.compensate?.input ?? null)
  // So may a step that runs when the job has failed; only others of its kind it may have to wait for.
  const needed = onFailure ? implied.filter((name) => failureSteps.has(name)) : implied
  return [...new Set([...written, ...needed])]
}

function whenTemplate({ when }: StepSpec): Json {
  return when === undefined ? null : { $from: when.$from }
}

/** Where a template stands, and what its pointers may lead into. */
interface Place {
  readonly path: string
  readonly names: ReadonlySet<string>
  readonly issues: SpecIssue[]
  /** True: there is a `/failure`. */
  readonly onFailure?: boolean
  /** False: it is resolved once, not for each item. */
  readonly ofItem?: boolean
}

/** Steps that a template's pointers lead into. */
function impliedNeeds(place: Place, template: Json): string[] {
  const needs: string[] = []
  for (const pointer of pointersIn(template)) {
    const tokens = pointer.length > POINTER_LENGTH_MAX ? null : parsePointer(pointer)
    const message = pointerFault(tokens, place)
    const { path, issues } = place
    if (message !== null)
      issues.push({ path, message: `$from ${JSON.stringify(clip(pointer))} ${message}` })
    else if (tokens?.[0] === 'steps') needs.push(tokens[1] ?? '')
  }
  return needs
}

/**
 * Only what can never be meant is refused here; a pointer into the input that leads nowhere fails
 * its step when it runs (`input_unresolved`).
 */
function pointerFault(tokens: readonly string[] | null, place: Place): string | null {
  if (tokens === null) return 'is no JSON pointer (RFC 6901) of at most 1024 characters'
  const [root, step] = tokens
  if (root === undefined) return 'must point into input, steps, item, index or job'
  if (root === 'failure' && place.onFailure !== true) return 'is there only for onFailure steps'
  if ((root === 'item' || root === 'index') && place.ofItem === false)
    return 'is there only once an item runs; a condition is of the whole step'
  if (root !== 'steps') return null
  if (step === undefined) return 'must name a step: /steps/NAME/output'
  return place.names.has(step) ? null : noStep(step)
}

/** Kahn's algorithm, by the order of writing. Steps on or behind a cycle are left out. */
function topologicalOrder(needs: ReadonlyMap<string, readonly string[]>): string[] {
  const open = new Map<string, number>()
  const dependents = new Map<string, string[]>([...needs.keys()].map((name) => [name, []]))
  for (const [name, needed] of needs) {
    open.set(name, needed.length)
    for (const need of needed) dependents.get(need)?.push(name)
  }
  const order = [...needs.keys()].filter((name) => open.get(name) === 0)
  // Grows while it is walked; each step enters once.
  for (const done of order) {
    for (const name of dependents.get(done) ?? []) {
      const left = (open.get(name) ?? 0) - 1
      open.set(name, left)
      if (left === 0) order.push(name)
    }
  }
  return order
}

/** Any step that has no place has a need without one: following those ends in a circle. */
function cycleIssue(
  needs: ReadonlyMap<string, readonly string[]>,
  order: readonly string[],
): SpecIssue {
  const placed = new Set(order)
  const trail: string[] = []
  let at = [...needs.keys()].find((name) => !placed.has(name))
  while (at !== undefined && !trail.includes(at)) {
    trail.push(at)
    at = needs.get(at)?.find((need) => !placed.has(need))
  }
  const cycle = at === undefined ? trail : [...trail.slice(trail.indexOf(at)), at]
  return {
    path: `/steps${formatPointer([cycle[0] ?? ''])}`,
    message: `needs itself in the end: ${clip(cycle.join(' → '))}`,
  }
}

function noStep(name: string): string {
  return `there is no step ${JSON.stringify(clip(name))} in this job`
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
