import type { Json, JsonObject } from '@gyre/jobs'
import { jsonKey } from './json-equality.js'
import { CHARS_PER_STEP } from './schema-steps.js'

/** A keyword of our own: before a schema is tried on a value, so many steps are taken. */
export const STEPS_KEYWORD = 'gyreSteps'
/** They stand for `const` and `enum`, and hold the allowed values as texts that no reference leads into. */
export const CONST_KEYWORD = 'gyreConst'
export const ENUM_KEYWORD = 'gyreEnum'
const OWN_KEYWORDS = new Set([STEPS_KEYWORD, CONST_KEYWORD, ENUM_KEYWORD])

/** [steps of each try, how often each member of the value is looked at, characters of a text that are read in a step] */
export type StepsOfSchema = readonly [steps: number, looks: number, charsPerStep: number]

/** A reference is a call: dearer than what stands in place. */
const STEPS_OF_REFERENCE = 2
/** So many members are looked at in a step. */
const MEMBERS_PER_STEP = 8
/** A format is a regular expression, and not the fastest. */
const FORMAT_CHARS_PER_STEP = 2

/** What may go through all members of the value to say yes or no. */
const LOOKS_AT_ALL = [
  ...['minProperties', 'maxProperties', 'propertyNames'],
  ...['additionalProperties', 'unevaluatedProperties'],
]

/** Each of their members is looked for in the value. */
const BY_MEMBER = [
  ...['properties', 'required', 'dependentRequired', 'dependentSchemas', 'dependencies'],
]

/** Their members are schemas by name, and they are none themselves. */
const MAPS = new Set([
  ...['properties', 'patternProperties', 'dependentSchemas'],
  ...['$defs', 'definitions', 'dependencies'],
])
/** Maps of names, with no schema in them. */
const NAMES = new Set(['dependentRequired', '$vocabulary'])
/** They tell about values, and check nothing: left out. */
const REMARKS = new Set(['default', 'examples'])

/**
 * A copy of a schema that counts what checking a value costs: each schema in it says how many steps a
 * try of it takes. Everything that is not known to be something else is taken for a schema, since
 * references may lead anywhere, and nothing may be tried uncounted.
 *
 * @throws Error where an $id could send the compiler round in circles
 */
export function countedSchema(schema: JsonObject): JsonObject {
  const { $id } = schema
  if (typeof $id === 'string' && /#./.test($id)) {
    throw new Error(`the $id ${JSON.stringify($id)} holds a fragment; use $anchor for that`)
  }
  const members = Object.entries(schema)
    .filter(
      ([name, member]) => member !== undefined && !REMARKS.has(name) && !OWN_KEYWORDS.has(name),
    )
    .map(([name, member]) => countedMember(name, member))
  return { ...Object.fromEntries(members), [STEPS_KEYWORD]: stepsOf(schema) }
}

function countedMember(name: string, member: Json): [string, Json] {
  if (name === 'const') return [CONST_KEYWORD, [jsonKey(member)]]
  if (name === 'enum' && Array.isArray(member)) return [ENUM_KEYWORD, member.map(jsonKey)]
  if (NAMES.has(name)) return [name, member]
  if (!MAPS.has(name) || !isObject(member)) return [name, countedAny(member)]
  const schemas = Object.entries(member).map(([key, each]) => [key, countedAny(each)])
  return [name, Object.fromEntries(schemas)]
}

function countedAny(value: Json): Json {
  if (Array.isArray(value)) return value.map(countedAny)
  return isObject(value) ? countedSchema(value) : value
}

function stepsOf(schema: JsonObject): StepsOfSchema {
  const branches = sizeOf(schema, 'anyOf') + sizeOf(schema, 'oneOf') + sizeOf(schema, 'allOf')
  let members = 0
  for (const name of BY_MEMBER) members += sizeOf(schema, name)
  const references = ['$ref', '$dynamicRef'].filter((name) => Object.hasOwn(schema, name)).length
  const steps = 1 + branches + references * STEPS_OF_REFERENCE
  const looks = LOOKS_AT_ALL.filter((name) => Object.hasOwn(schema, name)).length
  return [
    steps + Math.ceil(members / MEMBERS_PER_STEP),
    looks + sizeOf(schema, 'patternProperties'),
    Object.hasOwn(schema, 'format') ? FORMAT_CHARS_PER_STEP : CHARS_PER_STEP,
  ]
}

function sizeOf(schema: JsonObject, name: string): number {
  const member = Object.hasOwn(schema, name) ? schema[name] : undefined
  return typeof member === 'object' && member !== null ? Object.keys(member).length : 0
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
