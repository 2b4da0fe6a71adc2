import type { Json, JsonObject } from '@gyre/jobs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { canonicalJson } from '../../base/canonical-json.js'
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_STEPS_MAX } from './limits.js'

/**
 * Compiles the JSON Schemas that plugins bring. They are a stranger's: size and nesting are looked at
 * before compiling, patterns run in linear time (re2js; a native regular expression of 27 characters
 * has blocked a thread for 9 s), so does `uniqueItems`, nothing is fetched, and values cannot steer the
 * schema (`$data`). Alternatives that refer to each other can still take time that doubles with each
 * level of the value: how often one schema may call another while a value is checked is counted. What is not bounded: a wide
 * schema (thousands of alternatives in one place) times a large value.
 */
export type UserSchema =
  | { readonly ok: true; readonly check: (value: unknown) => SchemaFault | null }
  | { readonly ok: false; readonly message: string }

/** The first place where a value breaks its schema. */
export interface SchemaFault {
  /** JSON pointer. */
  readonly path: string
  readonly message: string
}

export function compileUserSchema(schema: unknown): UserSchema {
  const refused = refuse(schema)
  if (refused !== null) return { ok: false, message: refused }
  try {
    ajv ??= makeAjv()
    steps.left = SCHEMA_STEPS_MAX
    const validate = ajv.compile(schema as JsonObject)
    // What was compiled is kept by whoever uses it, not for ever by the compiler.
    ajv.removeSchema(schema as JsonObject)
    return { ok: true, check: (value) => faultIn(value, validate) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  }
}

function faultIn(value: unknown, validate: ValidateFunction): SchemaFault | null {
  steps.left = SCHEMA_STEPS_MAX
  try {
    return validate(value) ? null : faultOf(validate)
  } catch (error) {
    if (error === TOO_MANY_STEPS) return { path: '', message: TOO_MANY_STEPS.message }
    throw error
  }
}

/** Shared by all schemas: one value is checked at a time. */
const steps = { left: 0 }

const TOO_MANY_STEPS = new Error(
  `takes more than ${SCHEMA_STEPS_MAX} steps to check: alternatives (oneOf, anyOf) that contain themselves ` +
    'are tried again at each level; let the schema tell them apart first, with if and then',
)

function takeStep(): void {
  steps.left -= 1
  if (steps.left < 0) throw TOO_MANY_STEPS
}

/** How ajv begins the function of each schema that others refer to; what it holds cannot call itself. */
const FUNCTION_HEAD = /^((?:const \w+ = scope\.[^;]*;)*return function validate\d+\(.*?=\{\}\)\{)/

/**
 * Makes the code of a schema count its calls. Where code is processed, ajv puts a comment with the
 * schema's `$id` as it is behind the head; it goes, since an ID with the end of a comment in it would run.
 */
function counted(code: string, environment?: { readonly schema: unknown }): string {
  const [head] = FUNCTION_HEAD.exec(code) ?? []
  const comment = commentOf(environment?.schema)
  const body = code.slice(head?.length ?? 0)
  const rest = body.startsWith(comment) ? body.slice(comment.length) : body
  if (head === undefined || !rest.startsWith('let vErrors = null;')) {
    throw new Error(`its code begins in a new way: ${code.slice(0, 200)}`)
  }
  return `${head}self.takeStep();${rest}`
}

function commentOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null || !('$id' in schema)) return ''
  const id = JSON.stringify(schema.$id)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
  return `/*# sourceURL=${id} */;`
}

function refuse(schema: unknown): string | null {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return 'a JSON Schema is an object, for example { type: "object" }'
  }
  if (depthOf(schema, 0) > SCHEMA_DEPTH_MAX)
    return `it is nested more than ${SCHEMA_DEPTH_MAX} deep`
  const bytes = Buffer.byteLength(JSON.stringify(schema))
  if (bytes > SCHEMA_BYTES_MAX) return `it is larger than ${SCHEMA_BYTES_MAX} bytes`
  if ('$async' in schema) return '$async is not supported; remove it'
  if ('$id' in schema && /^https?:\/\/json-schema\.org\//.test(String(schema.$id))) {
    return `its $id is that of JSON Schema itself; give it one of its own, or none`
  }
  return null
}

/** Stops at the first branch that is too deep, so that a cyclic object ends as well. */
function depthOf(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null || depth > SCHEMA_DEPTH_MAX) return depth
  let deepest = depth
  for (const member of Object.values(value)) {
    deepest = Math.max(deepest, depthOf(member, depth + 1))
    if (deepest > SCHEMA_DEPTH_MAX) break
  }
  return deepest
}

/** Made with the first schema: compiling the rules for schemas takes tens of milliseconds. */
let ajv: Ajv2020 | null = null

function makeAjv(): Ajv2020 {
  const linear = Object.assign(linearPattern, { code: 'linearPattern' })
  const made = new Ajv2020({
    strict: false,
    $data: false,
    addUsedSchema: false,
    logger: false,
    code: { regExp: linear, process: counted },
  })
  addFormats.default(made, { mode: 'fast' })
  // Its own compares every pair: 20,000 objects took 21 s.
  made.removeKeyword('uniqueItems')
  made.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || areUnique(items),
    error: { message: 'must NOT have duplicate items' },
  })
  return Object.assign(made, { takeStep })
}

function areUnique(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>()
  for (const item of items) {
    // Objects as their text; texts as JSON, so that they are not taken for one.
    const key = typeof item === 'object' && item !== null ? canonicalJson(item as Json) : item
    seen.add(typeof item === 'string' ? JSON.stringify(item) : key)
  }
  return seen.size === items.length
}

/** `toString` is what ajv tells patterns apart by: without it all would be the first one. */
function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    throw new Error(
      `the pattern ${JSON.stringify(pattern)} cannot be checked in linear time ` +
        `(${messageOf(error)}); write it without look-around and back-references`,
    )
  }
  return { test: (text) => compiled.matcher(text).find(), toString: () => `/${pattern}/` }
}

function faultOf(validate: ValidateFunction): SchemaFault {
  const error: ErrorObject | undefined = validate.errors?.[0]
  const message = error?.message ?? 'is not valid'
  const extra = error?.params['additionalProperty']
  const named = typeof extra === 'string' ? `${message}: ${JSON.stringify(extra)}` : message
  return { path: error?.instancePath ?? '', message: named.slice(0, 500) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it cannot be compiled'
}
