import { schemaIssues } from '@gyre/jobs'
import type { FastifySchemaCompiler } from 'fastify'
import { Compile, type TSchema } from '@gyre/jobs/typebox'
import { Problem } from './problem.js'

/**
 * Checks the parts of a request against the schemas that the OpenAPI document is made of. Bodies are
 * never converted; in paths and queries, where everything is text, digits become numbers where the
 * schema says so and nothing else is touched.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Described for the document, read by what works with them.
  if (httpPart === 'headers') return (value: unknown) => ({ value })
  const validator = Compile(schema)
  const isText = httpPart === 'querystring' || httpPart === 'params'
  const integers = isText ? integerMembers(schema) : []
  return (data: unknown) => {
    const value = integers.length > 0 ? withNumbers(data, integers) : data
    if (validator.Check(value)) return { value }
    return { error: toProblem(httpPart ?? 'body', validator.Errors(value)) }
  }
}

/**
 * For routes whose body has a reader of its own (three shapes of a submission, the items of a
 * batch): the schema stands in the OpenAPI document, and that reader is made of the same schemas.
 */
export const compileAllButBody: FastifySchemaCompiler<TSchema> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : compileValidator(route)

function toProblem(httpPart: string, errors: Parameters<typeof schemaIssues>[0]): Problem {
  const { issues, unknownMember } = schemaIssues(errors)
  const where = httpPart === 'querystring' ? 'query' : httpPart
  const [first] = issues
  const detail = `${where} ${first?.path ?? ''} ${first?.message ?? 'is not valid'}`
  const code = unknownMember ? 'unknown_field' : 'invalid_request'
  return new Problem(code, detail.replaceAll('  ', ' '), { errors: issues })
}

function integerMembers(schema: TSchema): string[] {
  if (!('properties' in schema)) return []
  const members: object = schema.properties as object
  return Object.entries(members).flatMap(([name, member]) =>
    member?.type === 'integer' ? [name] : [],
  )
}

const DIGITS = /^\d{1,15}$/

function withNumbers(data: unknown, names: readonly string[]): unknown {
  if (typeof data !== 'object' || data === null) return data
  const copy: Record<string, unknown> = { ...data }
  for (const name of names) {
    const text = copy[name]
    if (typeof text === 'string' && DIGITS.test(text)) copy[name] = Number(text)
  }
  return copy
}
