import type { Json, JsonObject } from './json.js'
import { getAt, parsePointer } from './pointer.js'

/**
 * Templates are JSON in which `{"$from": POINTER}` stands for a value of the job and
 * `{"$literal": VALUE}` for VALUE as it is. Both count only as the sole member of their object;
 * nothing else is evaluated, and what a pointer brings in is not evaluated again.
 *
 * Pure and total: a pointer that leads nowhere is an outcome, not an exception. Recursion is bounded
 * by the depth that submissions may have (JSON_DEPTH_MAX).
 */

/** What pointers point into. A step stands in `steps` once it has succeeded. */
export interface TemplateScope {
  readonly input: Json
  readonly steps: Readonly<Record<string, { readonly output: Json }>>
  /** `forEach` steps only. */
  readonly item?: Json
  /** `forEach` steps only; counts from 0. */
  readonly index?: number
  /** Steps only that run when the job has failed. */
  readonly failure?: JsonObject
  readonly job: { readonly id: string }
}

export type Resolution =
  | { readonly ok: true; readonly value: Json }
  /** `pointer` is the first that leads nowhere. */
  | { readonly ok: false; readonly pointer: string }

export interface ResolveOptions {
  /** What a pointer that leads nowhere gives: a failed resolution (the default), or null. */
  readonly missing?: 'fail' | 'null'
  /** Which pointers may lead nowhere, and give null then, all the same. */
  readonly mayBeMissing?: (pointer: string) => boolean
}

export function resolveTemplate(
  template: Json,
  scope: TemplateScope,
  options: ResolveOptions = {},
): Resolution {
  const missing: string[] = []
  const value = resolve(template, scope, missing)
  const { mayBeMissing = () => false } = options
  const pointer = missing.find((one) => !mayBeMissing(one))
  if (pointer !== undefined && options.missing !== 'null') return { ok: false, pointer }
  return { ok: true, value }
}

/** Every pointer that the template reads, in the order of writing, with repeats. */
export function pointersIn(template: Json): string[] {
  const found: string[] = []
  collectPointers(template, found)
  return found
}

/** The pointer of a `{"$from": POINTER}` object, else undefined. */
export function pointerOf(template: Json): string | undefined {
  const from = soleMember(template, '$from')
  return typeof from === 'string' ? from : undefined
}

/** Notes a missing pointer and puts null in its place: the caller decides what that means. */
function resolve(template: Json, scope: TemplateScope, missing: string[]): Json {
  if (typeof template !== 'object' || template === null) return template
  if (isArray(template)) return template.map((element) => resolve(element, scope, missing))
  const pointer = pointerOf(template)
  if (pointer !== undefined) return lookUp(pointer, scope, missing)
  const literal = soleMember(template, '$literal')
  if (literal !== undefined) return literal
  // fromEntries defines own members, also one that is named `__proto__`.
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, resolve(value, scope, missing)]),
  )
}

function lookUp(pointer: string, scope: TemplateScope, missing: string[]): Json {
  const tokens = parsePointer(pointer)
  const value = tokens === null ? undefined : getAt(scope, tokens)
  if (value !== undefined) return value
  missing.push(pointer)
  return null
}

function collectPointers(template: Json, found: string[]): void {
  if (typeof template !== 'object' || template === null) return
  if (isArray(template)) {
    for (const element of template) collectPointers(element, found)
    return
  }
  const pointer = pointerOf(template)
  if (pointer !== undefined) {
    found.push(pointer)
    return
  }
  if (soleMember(template, '$literal') !== undefined) return
  for (const value of Object.values(template)) collectPointers(value, found)
}

function soleMember(template: Json, name: string): Json | undefined {
  if (typeof template !== 'object' || template === null || isArray(template)) return undefined
  if (!Object.hasOwn(template, name) || Object.keys(template).length !== 1) return undefined
  return (template as JsonObject)[name]
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
