import {
  type ForEachPlan,
  isLongerThan,
  isTooDeep,
  JSON_DEPTH_MAX,
  type JobError,
  type Json,
  type JsonObject,
  parsePointer,
  pointersIn,
  resolveTemplate,
  type TemplateScope,
} from '@gyre/jobs'
import { assert } from '../../base/assert.js'
import { canonicalJson } from '../../base/canonical-json.js'
import type { JobEdit } from './job-edit.js'
import type { ItemRow } from './job-row.js'
import { FOR_EACH_ITEMS_MAX, VALUE_BYTES_MAX } from './limits.js'
import { keys } from './rows-layout.js'

/**
 * Turns the templates of a plan into values, from what the job's steps have given so far. Outputs
 * never change once they are there, so a template gives the same value each time it is resolved:
 * resolved inputs need no rows.
 */

export type Resolved<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly error: JobError }

type Value = Resolved<{ readonly value: Json }>

/** The body that a worker gets: JSON text, `{"input":…}` or for a service's own hook with `output`. */
export type WorkerBody = Resolved<{ readonly body: string }>

/** The input of one attempt of a step, or of one of its items. */
export function runBody(edit: JobEdit, position: number, index: number | null): WorkerBody {
  const input = runInput(edit, position, index)
  if (!input.ok) return input
  return bodyOf(edit.stepPlan(position).name, input.value)
}

/**
 * What undoes a step: the hook's template where there is one, in which a pointer that leads nowhere
 * gives null; else what the step was given and what it gave, null when that is unknown.
 */
export function undoBody(edit: JobEdit, position: number, index: number | null): WorkerBody {
  const { compensate, name } = edit.stepPlan(position)
  assert(compensate !== null, `step ${name} of job ${edit.id} has no compensation`)
  if (compensate.input !== undefined) {
    const item = itemScope(edit, position, index)
    const { scope: jobScope } = scopeOf(edit, compensate.input, item.ok ? item.item : {})
    const scope = index === null ? jobScope : withItemOutput(edit, jobScope, name, index)
    const resolved = resolveTemplate(compensate.input, scope, { missing: 'null' })
    return bodyOf(name, resolved.ok ? resolved.value : null)
  }
  const run = runInput(edit, position, index)
  const input = run.ok ? run.value : null
  const output = outputOf(edit, name, index)
  const parts = `"input":${JSON.stringify(input)},"output":${JSON.stringify(output)}`
  return { ok: true, body: compensate.hook ? `{${parts}}` : `{"input":{${parts}}}` }
}

/** To the hook of one item, the step's output is that item's, whatever the step collects. */
function withItemOutput(
  edit: JobEdit,
  scope: TemplateScope,
  step: string,
  index: number,
): TemplateScope {
  const own = { output: outputOf(edit, step, index) }
  return { ...scope, steps: { ...scope.steps, [step]: own } }
}

/** How many items a `forEach` has. */
export function fanSize(edit: JobEdit, position: number): Resolved<{ readonly total: number }> {
  const { forEach, name } = edit.stepPlan(position)
  assert(forEach !== null, `step ${name} of job ${edit.id} is no forEach`)
  const items = fanItems(edit, position, forEach)
  if (!items.ok) return items
  const total = sizeOfItems(items.value)
  if (total === undefined) {
    const message = `forEach of step ${name} must give an array or {"range": N}`
    return refused('items_invalid', message)
  }
  if (total > FOR_EACH_ITEMS_MAX) {
    const message = `forEach of step ${name} gives ${total} items; the limit is ${FOR_EACH_ITEMS_MAX}`
    return refused('too_many_items', message)
  }
  return { ok: true, total }
}

/** The job's own output, for a plan that has a template of it. */
export function jobOutput(edit: JobEdit, template: Json): Value {
  const { scope } = scopeOf(edit, template, {})
  const resolved = resolveTemplate(template, scope, { missing: 'null' })
  const value = resolved.ok ? resolved.value : null
  const text = JSON.stringify(value)
  if (isLongerThan(text, VALUE_BYTES_MAX)) {
    return refused(
      'output_too_large',
      `the job's output is larger than ${VALUE_BYTES_MAX} bytes; point at less in "output"`,
    )
  }
  if (!isTooDeep(text)) return { ok: true, value }
  return refused(
    'output_invalid',
    `the job's output is nested more than ${JSON_DEPTH_MAX} deep; point at less in "output"`,
  )
}

/** Whether a step's `when` is so; without one it is. */
export function conditionHolds(
  edit: JobEdit,
  position: number,
): Resolved<{ readonly value: boolean }> {
  const { when, name } = edit.stepPlan(position)
  if (when === undefined) return { ok: true, value: true }
  const template = { $from: when.from }
  const { scope, collapsed } = scopeOf(edit, template, failureScope(edit, position))
  if (collapsed !== null) return pointsIntoTooMuch(name, collapsed)
  const found = resolveTemplate(template, scope)
  if (when.is.kind === 'exists') return { ok: true, value: found.ok === when.is.exists }
  const isEqual = found.ok && canonicalJson(found.value) === canonicalJson(when.is.value)
  return { ok: true, value: isEqual }
}

/** What steps that run when the job has failed know of that. */
function failureScope(edit: JobEdit, position: number): ItemScope {
  if (edit.stepPlan(position).onFailure !== true) return NOTHING_MORE
  const { failedStep = null, cause, error } = edit.row
  return { failure: { step: failedStep, cause, error: error === null ? null : { ...error } } }
}

/** What never ran gave nothing; a step that runs all the same is given null for it. */
function mayBeMissing(edit: JobEdit, position: number): (pointer: string) => boolean {
  const { onFailure } = edit.stepPlan(position)
  return (pointer) => {
    const [root, name = ''] = parsePointer(pointer) ?? []
    if (root !== 'steps') return false
    const at = edit.positionOf(name)
    return onFailure === true || (at !== undefined && edit.step(at).phase === 'skipped')
  }
}

function runInput(edit: JobEdit, position: number, index: number | null): Value {
  const step = edit.stepPlan(position)
  const item = itemScope(edit, position, index)
  return item.ok ? resolveOrFail(edit, position, step.input, item.item) : item
}

function resolveOrFail(edit: JobEdit, position: number, template: Json, item: ItemScope): Value {
  const { name } = edit.stepPlan(position)
  const { scope, collapsed } = scopeOf(edit, template, { ...failureScope(edit, position), ...item })
  if (collapsed !== null) return pointsIntoTooMuch(name, collapsed)
  const options = { mayBeMissing: mayBeMissing(edit, position) }
  const resolved = resolveTemplate(template, scope, options)
  if (resolved.ok) return resolved
  const message = `step ${name} points at ${resolved.pointer}, which leads nowhere`
  return refused('input_unresolved', message)
}

function pointsIntoTooMuch(step: string, collapsed: string): ReturnType<typeof refused> {
  const message = `step ${step} points into the output of ${collapsed}, which is larger than ${VALUE_BYTES_MAX} bytes and was not collected; let its items store their results and point at those`
  return refused('input_too_large', message)
}

function bodyOf(step: string, input: Json): WorkerBody {
  const text = JSON.stringify(input)
  if (!isLongerThan(text, VALUE_BYTES_MAX)) return { ok: true, body: `{"input":${text}}` }
  const message = `the input of step ${step} is larger than ${VALUE_BYTES_MAX} bytes once its pointers are followed; point at less`
  return refused('input_too_large', message)
}

type ItemScope = Pick<TemplateScope, 'item' | 'index' | 'failure'>

const NOTHING_MORE: ItemScope = {}

function itemScope(
  edit: JobEdit,
  position: number,
  index: number | null,
): Resolved<{ readonly item: ItemScope }> {
  if (index === null) return { ok: true, item: NOTHING_MORE }
  const { forEach, name } = edit.stepPlan(position)
  assert(forEach !== null, `step ${name} of job ${edit.id} is no forEach`)
  const value = itemValue(edit, position, forEach, index)
  return value.ok ? { ok: true, item: { index, item: value.value } } : value
}

/** An array written in the plan is resolved member by member: not all of it for each item. */
function itemValue(edit: JobEdit, position: number, forEach: ForEachPlan, index: number): Value {
  if (isArray(forEach.items)) {
    return resolveOrFail(edit, position, forEach.items[index] ?? null, {})
  }
  const items = fanItems(edit, position, forEach)
  if (!items.ok) return items
  return { ok: true, value: isArray(items.value) ? (items.value[index] ?? null) : index }
}

/** An array in the plan stands for itself here: only its length is asked for. */
function fanItems(edit: JobEdit, position: number, forEach: ForEachPlan): Value {
  if (!isArray(forEach.items)) return resolveOrFail(edit, position, forEach.items, {})
  return { ok: true, value: forEach.items }
}

function sizeOfItems(items: Json): number | undefined {
  if (isArray(items)) return items.length
  if (typeof items !== 'object' || items === null) return undefined
  const { range } = items as JsonObject
  const isCount = typeof range === 'number' && Number.isSafeInteger(range) && range >= 0
  return isCount && Object.keys(items).length === 1 ? range : undefined
}

interface Scoped {
  readonly scope: TemplateScope
  /** First step pointed into whose output was too large to collect; null: none. */
  readonly collapsed: string | null
}

/** Holds the outputs that the template points into, and no others. */
function scopeOf(edit: JobEdit, template: Json, item: ItemScope): Scoped {
  const steps: [string, { readonly output: Json }][] = []
  let collapsed: string | null = null
  for (const name of stepsPointedInto(template)) {
    const row = edit.output(name)
    if (row === undefined) continue
    steps.push([name, { output: row.output }])
    if (row.collapsed === true) collapsed ??= name
  }
  const job = { id: edit.id }
  return { scope: { input: edit.input, steps: Object.fromEntries(steps), job, ...item }, collapsed }
}

function stepsPointedInto(template: Json): Set<string> {
  const names = new Set<string>()
  for (const pointer of pointersIn(template)) {
    if (!pointer.startsWith('/steps/')) continue
    const [root, name] = parsePointer(pointer) ?? []
    if (root === 'steps' && name !== undefined) names.add(name)
  }
  return names
}

function outputOf(edit: JobEdit, step: string, index: number | null): Json {
  if (index === null) return edit.output(step)?.output ?? null
  const { rows } = edit.context
  return rows.get<ItemRow>(keys.item(edit.id, step, index))?.output ?? null
}

function refused(code: string, message: string): { readonly ok: false; readonly error: JobError } {
  return { ok: false, error: { code, message, retryable: false } }
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
