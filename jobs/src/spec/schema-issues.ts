import type { SpecIssue } from './issues.js'

/** Turns a schema validator's errors into issues that a submitter can act on. */

/** The part of TypeBox's errors that is read here. */
export interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  /** JSON pointer. */
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

export interface SchemaIssues {
  readonly issues: readonly SpecIssue[]
  /** True when a member stands where none of its name is known. */
  readonly unknownMember: boolean
}

export function schemaIssues(errors: readonly SchemaError[]): SchemaIssues {
  const unknown = errors.filter(isUnknownMember)
  const others = errors.filter(
    // A name that is not allowed is told at its own path, too, and better.
    (error) => !saysUnknownMember(error) && error.keyword !== 'propertyNames',
  )
  const paths = [...new Set(others.map((error) => error.instancePath))]
  const issues = [
    ...unknown.map(({ instancePath: path }) => ({ path, message: UNKNOWN_MEMBER })),
    ...paths.map((path) => ({ path, message: messageAt(path, others) })),
  ]
  return { issues, unknownMember: unknown.length > 0 }
}

const UNKNOWN_MEMBER = 'is not a known member here; remove it or correct its name'

/**
 * A closed object reports an unknown member twice: as a value that nothing allows, at its own path,
 * and once more by all their names, which may fall behind the validator's limit of errors.
 */
function isUnknownMember(error: SchemaError): boolean {
  return error.keyword === 'boolean' && error.schemaPath.endsWith('/additionalProperties')
}

function saysUnknownMember(error: SchemaError): boolean {
  return error.keyword === 'additionalProperties' || isUnknownMember(error)
}

/** The branches of a union each have their say: `must be integer, or must match pattern …`. */
function messageAt(path: string, errors: readonly SchemaError[]): string {
  const said = errors
    .filter((error) => error.instancePath === path && error.keyword !== 'anyOf')
    .map(messageOf)
  const messages = [...new Set(said)]
  return messages.length === 0 ? 'has none of the forms allowed here' : messages.join(', or ')
}

function messageOf(error: SchemaError): string {
  if (error.keyword === 'enum' && 'allowedValues' in error.params) {
    return `must be one of ${JSON.stringify(error.params.allowedValues)}`
  }
  return error.message
}
