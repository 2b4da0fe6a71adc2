import type { Json, JsonObject } from '@gyre/jobs'
import {
  _,
  str,
  Ajv2020,
  type ErrorObject,
  type KeywordCxt,
  type ValidateFunction,
} from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { assert } from '../../base/assert.js'
import {
  CONST_KEYWORD,
  countedSchema,
  ENUM_KEYWORD,
  STEPS_KEYWORD,
  type StepsOfSchema,
} from './counted-schema.js'
import { multiplesOf } from './decimal-multiple.js'
import { endlessReference } from './endless-schema.js'
import { keepFirstError } from './first-error.js'
import { isKeyOfObject, type JsonKey, jsonKey } from './json-equality.js'
import { linearPattern } from './linear-pattern.js'
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_STEPS_MAX } from './limits.js'
import {
  beginSteps,
  stepsLeft,
  CHARS_PER_STEP,
  spendSteps,
  takeSteps,
  TOO_MANY_STEPS,
} from './schema-steps.js'

/**
 * Compiles the JSON Schemas that plugins bring. They are a stranger's: size and nesting are looked at
 * before compiling, patterns run in linear time (re2js; a native regular expression of 27 characters
 * has blocked a thread for 9 s), so do `uniqueItems` and `enum`, nothing is fetched, and values cannot
 * steer the schema (`$data`). What is left, alternatives that contain themselves (twice the work with each
 * level of the value) or that are many for each item or for a large value, is counted while a value is
 * checked, and bounded.
 */
export type UserSchema =
  | { readonly ok: true; readonly check: SchemaCheck }
  | { readonly ok: false; readonly message: string }

/** The first place where a value breaks its schema. */
export interface SchemaFault {
  /** JSON pointer. */
  readonly path: string
  readonly message: string
  /** Nothing is known of the value: checking it would take more steps than were allowed. */
  readonly ranOut?: true
}

/** Steps that checking may take; what it takes is taken off. */
export interface StepAllowance {
  left: number
}

/** Without an allowance a value has SCHEMA_STEPS_MAX to itself, and with one no more. */
export type SchemaCheck = (value: unknown, allowance?: StepAllowance) => SchemaFault | null

export function compileUserSchema(schema: unknown): UserSchema {
  const refused = refuse(schema)
  if (refused !== null) return { ok: false, message: refused }
  try {
    beginSteps(SCHEMA_STEPS_MAX)
    const validate = compile(countedSchema(schema as JsonObject))
    tryOut(validate)
    return { ok: true, check: (value, allowance) => faultIn(value, validate, allowance) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  }
}

function compile(counted: JsonObject): ValidateFunction {
  ajv ??= makeAjv()
  const { $id } = counted
  // Without an ID the compiler does not find the schema's own root, to which `#` refers.
  const named = $id === undefined || $id === '' ? { ...counted, $id: ROOT_ID } : counted
  const known = new Set(Object.keys(ajv.refs))
  try {
    return ajv.compile(named)
  } finally {
    // What was compiled is kept by whoever uses it, not for ever by the compiler; nor are the names in it,
    // which would mean the same in the next schema.
    ajv.removeSchema(named)
    for (const name of Object.keys(ajv.refs)) if (!known.has(name)) delete ajv.refs[name]
  }
}

/**
 * Code is compiled when it first runs, and what is nested too deep for the stack of this thread is
 * known only then: better now than as a fault of every value.
 */
function tryOut(validate: ValidateFunction): void {
  try {
    validate(null)
  } catch (error) {
    if (error instanceof RangeError) throw error
  }
}

const ROOT_ID = 'gyre:/schema'

function faultIn(
  value: unknown,
  validate: ValidateFunction,
  allowance: StepAllowance = { left: SCHEMA_STEPS_MAX },
): SchemaFault | null {
  const most = Math.min(allowance.left, SCHEMA_STEPS_MAX)
  beginSteps(most)
  try {
    return validate(value) ? null : faultOf(validate)
  } catch (error) {
    if (error === TOO_MANY_STEPS) {
      return { path: '', message: TOO_MANY_STEPS.message, ranOut: true }
    }
    if (error instanceof RangeError) return { path: '', message: ENDLESS }
    // A stranger's schema: what it cannot check is no failure of this node.
    return { path: '', message: `cannot be checked: ${messageOf(error)}` }
  } finally {
    allowance.left -= most - stepsLeft()
  }
}

const ENDLESS =
  'cannot be checked: the schema refers to itself without looking further into the value; take out that $ref'

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
  const endless = endlessReference({ ...schema })
  if (endless !== null) {
    return `it refers to itself without looking further into the value, so checking would never end; take out ${JSON.stringify(endless)}`
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
    // Inlined, 1000 references to 1000 alternatives are a million of them: the compiler takes the heap.
    inlineRefs: false,
    $data: false,
    addUsedSchema: false,
    logger: false,
    // Optimized, 1000 alternatives take 3 s to be compiled instead of half a second, and checks are no faster.
    code: { regExp: linear, process: keepFirstError, optimize: false },
  })
  addFormats.default(made, { mode: 'fast' })
  made.addKeyword({
    keyword: STEPS_KEYWORD,
    // Before all others, so that a try that fails early is counted as well.
    before: '$ref',
    code: ({ gen, schema, data }: KeywordCxt) => {
      const [steps, looks, charsPerStep]: StepsOfSchema = schema
      gen.code(_`self.takeSteps([${steps}, ${looks}, ${charsPerStep}], ${data})`)
    },
  })
  // Ajv's own divides binary fractions: no price would be a multiple of 0.01.
  made.removeKeyword('multipleOf')
  made.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    compile: multiplesOf,
    error: { message: ({ schema }) => str`must be multiple of ${schema}` },
  })
  // Ajv's own compares every pair (20,000 objects took 21 s), and so does its enum.
  made.removeKeyword('uniqueItems')
  made.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: readonly Json[]) => !isWanted || areUnique(items),
    error: { message: 'must NOT have duplicate items' },
  })
  made.addKeyword({
    keyword: ENUM_KEYWORD,
    compile: isOneOf,
    error: { message: 'must be equal to one of the allowed values' },
  })
  made.addKeyword({
    keyword: CONST_KEYWORD,
    compile: isOneOf,
    error: { message: 'must be equal to constant' },
  })
  return Object.assign(made, { takeSteps })
}

function areUnique(items: readonly Json[]): boolean {
  spendSteps(items.length)
  return new Set(items.map(countedKey)).size === items.length
}

/** @param allowed  keys, as a counted schema has them in place of the values */
function isOneOf(allowed: readonly JsonKey[]): (value: Json) => boolean {
  const keys = new Set(allowed)
  const hasObject = allowed.some(isKeyOfObject)
  return (value) => (hasObject || !isObject(value)) && keys.has(countedKey(value))
}

function countedKey(value: Json): JsonKey {
  const key = jsonKey(value)
  if (typeof key === 'string')
    spendSteps(isObject(value) ? key.length : key.length / CHARS_PER_STEP)
  return key
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null
}

function faultOf({ errors }: ValidateFunction): SchemaFault {
  assert(errors?.length === 1, 'one error is kept (first-error.ts)')
  const error: ErrorObject | undefined = errors[0]
  const message = error?.message ?? 'is not valid'
  const extra = error?.params['additionalProperty']
  const named = typeof extra === 'string' ? `${message}: ${JSON.stringify(extra)}` : message
  return { path: error?.instancePath ?? '', message: named.slice(0, 500) }
}

function messageOf(error: unknown): string {
  // The compiler recurses over what stands beside each other.
  if (error instanceof RangeError) {
    return 'it is too large to be compiled; write long lists of alternatives as an enum'
  }
  return error instanceof Error ? error.message : 'it cannot be compiled'
}
