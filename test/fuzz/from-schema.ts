import fc from 'fast-check'

/** JSON Schema as the served OpenAPI document uses it. */
export interface Schema {
  readonly type?: string
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly propertyNames?: Schema
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
}

/** What is drawn for a member of this name, whatever its schema would allow. */
export type Overrides = Readonly<Record<string, fc.Arbitrary<unknown>>>

/** Small enough that a million requests fit into minutes. */
const MEMBERS_MAX = 4
const TEXT_LENGTH_MAX = 24
const SPREAD = 40

export const STEP_NAMES = fc.constantFrom('a', 'b', 'main', 'reserve')

/** Values that mostly agree with a schema; what they mean together may be nonsense. */
export function fromSchema(schema: Schema, overrides: Overrides): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return fc.oneof(...choices.map((one) => fromSchema(one, overrides)))
  switch (schema.type) {
    case 'string':
      return textOf(schema)
    case 'integer':
      return wholeOf(schema)
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return arrayOf(schema, overrides)
    case 'object':
      return objectOf(schema, overrides)
    default:
      return anyJson
  }
}

function textOf({ pattern, minLength = 0, maxLength = TEXT_LENGTH_MAX }: Schema) {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, TEXT_LENGTH_MAX)) }
  return fc.oneof(fc.string({ unit: 'grapheme-ascii', ...length }), instants)
}

/** Near the least value mostly: a hundred thousand items are for other tests. */
function wholeOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema) {
  return fc.integer({ min: minimum, max: Math.min(maximum, minimum + SPREAD) })
}

function arrayOf(
  { items = {}, minItems = 0, maxItems = MEMBERS_MAX }: Schema,
  overrides: Overrides,
) {
  const maxLength = Math.max(minItems, Math.min(maxItems, MEMBERS_MAX))
  return fc.array(fromSchema(items, overrides), { minLength: minItems, maxLength })
}

function objectOf(schema: Schema, overrides: Overrides): fc.Arbitrary<object> {
  const { properties = {}, required = [], additionalProperties } = schema
  const members = Object.entries(properties).map(([name, member]) => {
    const value = overrides[name] ?? fromSchema(member, overrides)
    return [name, required.includes(name) ? value : seldom(value)] as const
  })
  const known = fc.record(Object.fromEntries(members)).map(withoutAbsent)
  if (typeof additionalProperties !== 'object') return known
  const more = fc.dictionary(
    namesOf(schema, overrides),
    fromSchema(additionalProperties, overrides),
    {
      minKeys: schema.minProperties ?? 0,
      maxKeys: MEMBERS_MAX,
    },
  )
  return fc.tuple(known, more).map(([first, second]) => ({ ...second, ...first }))
}

/** An optional member is there once in four times: with many of them, hardly anything would be right. */
export function seldom(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: value, weight: 1 })
}

export function withoutAbsent(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** The usual ones mostly, so that what a job says of its steps has a meaning. */
function namesOf({ propertyNames }: Schema, overrides: Overrides): fc.Arbitrary<string> {
  if (propertyNames !== undefined) return fromSchema(propertyNames, overrides).map(String)
  return fc.oneof({ arbitrary: STEP_NAMES, weight: 9 }, fc.string({ maxLength: 70 }))
}

const instants = fc
  .integer({ min: -1, max: 3 })
  .map((years) => new Date(Date.UTC(2026 + years, 0, 1)).toISOString())

const pointers = fc.constantFrom(
  '/input',
  '/steps/a/output',
  '/item',
  '/index',
  '/job/id',
  '',
  '/x/~2',
)

/** Any JSON, with what is read as more than data where it stands in a job. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 6 },
  { arbitrary: pointers.map((pointer) => ({ $from: pointer })), weight: 2 },
  { arbitrary: fc.jsonValue({ maxDepth: 1 }).map((value) => ({ $literal: value })), weight: 1 },
)
