import type { JsonObject } from '@gyre/jobs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { RE2JS } from 're2js'
import { SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX } from './limits.js'

/**
 * Compiles the JSON Schemas that plugins bring. They are a stranger's: size and nesting are looked at
 * before compiling, patterns run in linear time (re2js; a native regular expression of 27 characters
 * has blocked a thread for 9 s), nothing is fetched, and values cannot steer the schema (`$data`).
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
    const validate = ajv.compile(schema as JsonObject)
    // What was compiled is kept by whoever uses it, not for ever by the compiler.
    ajv.removeSchema(schema as JsonObject)
    return { ok: true, check: (value) => (validate(value) ? null : faultOf(validate)) }
  } catch (error) {
    return { ok: false, message: messageOf(error) }
  }
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
  return made
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
