import type { JsonObject } from '@gyre/jobs'
import {
  _,
  Ajv2020,
  type ErrorObject,
  type KeywordCxt,
  type ValidateFunction,
} from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { canonicalJson } from '../../base/canonical-json.js'
import { countedSchema, STEPS_KEYWORD, type StepsOfSchema } from './counted-schema.js'
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_STEPS_MAX } from './limits.js'

/**
 * Compiles the JSON Schemas that plugins bring. They are a stranger's: size and nesting are looked at
 * before compiling, patterns run in linear time (re2js; a native regular expression of 27 characters
 * has blocked a thread for 9 s), so do `uniqueItems` and `enum`, nothing is fetched, and values cannot
 * steer the schema (`$data`). What is left, alternatives that contain themselves (twice the work with each
 * level of the value) or that are many for each item, is counted while a value is checked, and bounded.
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
    budget.left = SCHEMA_STEPS_MAX
    const counted = countedSchema(schema as JsonObject)
    const validate = ajv.compile(counted)
    // What was compiled is kept by whoever uses it, not for ever by the compiler.
    ajv.removeSchema(counted)
    return { ok: true, check: (value) => faultIn(value, validate) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  }
}

function faultIn(value: unknown, validate: ValidateFunction): SchemaFault | null {
  budget.left = SCHEMA_STEPS_MAX
  try {
    return validate(value) ? null : faultOf(validate)
  } catch (error) {
    if (error === TOO_MANY_STEPS) return { path: '', message: TOO_MANY_STEPS.message }
    throw error
  }
}

/** Shared by all schemas: one value is checked at a time. */
const budget = { left: 0 }

const TOO_MANY_STEPS = new Error(
  `takes more than ${SCHEMA_STEPS_MAX} steps to check: alternatives (oneOf, anyOf) are tried for each item, and ` +
    'again at each level where they contain themselves; tell them apart first, with enum, or if and then',
)

function takeSteps([steps, patterns]: StepsOfSchema, value: unknown): void {
  const isMatched = patterns > 0 && typeof value === 'object' && value !== null
  budget.left -= steps + (isMatched ? patterns * Object.keys(value).length : 0)
  if (budget.left < 0) throw TOO_MANY_STEPS
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
    code: { regExp: linear },
  })
  addFormats.default(made, { mode: 'fast' })
  made.addKeyword({
    keyword: STEPS_KEYWORD,
    // Before all others, so that a try that fails early is counted as well.
    before: '$ref',
    code: ({ gen, schema, data }: KeywordCxt) => {
      const [steps, patterns]: StepsOfSchema = schema
      gen.code(_`self.takeSteps([${steps}, ${patterns}], ${data})`)
    },
  })
  // Ajv's own compare every pair (20,000 objects took 21 s), and every member of the list.
  made.removeKeyword('uniqueItems')
  made.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || areUnique(items),
    error: { message: 'must NOT have duplicate items' },
  })
  made.removeKeyword('enum')
  made.addKeyword({
    keyword: 'enum',
    schemaType: 'array',
    compile: (allowed: readonly unknown[]) => {
      const keys = new Set(allowed.map(keyOf))
      return (value: unknown) => keys.has(keyOf(value))
    },
    error: { message: 'must be equal to one of the allowed values' },
  })
  return Object.assign(made, { takeSteps })
}

function areUnique(items: readonly unknown[]): boolean {
  return new Set(items.map(keyOf)).size === items.length
}

/** Equal for equal JSON. Objects as their text; texts as JSON, so that they are not taken for one. */
function keyOf(value: unknown): unknown {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'object' && value !== null ? canonicalJson(value) : value
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
  // The compiler recurses over what stands beside each other.
  if (error instanceof RangeError) {
    return 'it is too large to be compiled; write long lists of alternatives as an enum'
  }
  return error instanceof Error ? error.message : 'it cannot be compiled'
}
