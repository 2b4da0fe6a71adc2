import type { Json, JsonObject } from '@gyre/jobs'

/** A keyword of our own: before a schema is tried on a value, so many steps are taken. */
export const STEPS_KEYWORD = 'gyreSteps'

/** [steps of each try, patterns that each member of the value is compared with] */
export type StepsOfSchema = readonly [steps: number, patterns: number]

/** A reference is a call: dearer than what stands in place. */
const STEPS_OF_REFERENCE = 2
/** So many members are looked at in a step. */
const MEMBERS_PER_STEP = 8

/** Their members are schemas by name, and they are none themselves. */
const MAPS = new Set([
  ...['properties', 'patternProperties', 'dependentSchemas'],
  ...['$defs', 'definitions', 'dependencies'],
])
/** They hold values, whatever those look like. */
const VALUES = new Set(['const', 'enum', 'default', 'examples'])

/**
 * A copy of a schema that counts what checking a value costs: each schema in it says how many steps a
 * try of it takes. Everything that is not known to be something else is taken for a schema, since
 * references may lead anywhere.
 */
export function countedSchema(schema: JsonObject): JsonObject {
  const members = Object.entries(schema).map(([name, member]) => [name, countedIn(name, member)])
  return { ...Object.fromEntries(members), [STEPS_KEYWORD]: stepsOf(schema) }
}

function countedIn(name: string, member: Json): Json {
  if (VALUES.has(name)) return member
  if (!MAPS.has(name) || !isObject(member)) return countedAny(member)
  return Object.fromEntries(Object.entries(member).map(([key, each]) => [key, countedAny(each)]))
}

function countedAny(value: Json): Json {
  if (Array.isArray(value)) return value.map(countedAny)
  return isObject(value) ? countedSchema(value) : value
}

function stepsOf(schema: JsonObject): StepsOfSchema {
  const branches = sizeOf(schema, 'anyOf') + sizeOf(schema, 'oneOf') + sizeOf(schema, 'allOf')
  const members = sizeOf(schema, 'properties') + sizeOf(schema, 'required')
  const references = ['$ref', '$dynamicRef'].filter((name) => Object.hasOwn(schema, name)).length
  const steps = 1 + branches + references * STEPS_OF_REFERENCE
  return [steps + Math.ceil(members / MEMBERS_PER_STEP), sizeOf(schema, 'patternProperties')]
}

function sizeOf(schema: JsonObject, name: string): number {
  const member = Object.hasOwn(schema, name) ? schema[name] : undefined
  return typeof member === 'object' && member !== null ? Object.keys(member).length : 0
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
