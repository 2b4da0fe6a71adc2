import { type TSchema, Type } from '@gyre/jobs/typebox'

/** What schemas of answers are made of. */

/** A named schema of the document; fastify's way of writing it. */
export function ref(name: string) {
  return Type.Unsafe<unknown>({ $ref: `${name}#` })
}

export const Id = Type.String({ pattern: '^[0-9a-f]{32}$' })
export const Instant = Type.String({ format: 'date-time' })
export const Nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])

/** There only where arcs did not answer. */
export const incomplete = {
  partial: Type.Optional(Type.Boolean({ description: 'True when arcs did not answer.' })),
  missing: Type.Optional(Type.Integer({ description: 'How many arcs did not answer.' })),
}

/** JSON whose members are somebody else's: a JSON Schema, or what a client or handler wrote. */
export const AnyObject = Type.Object({}, { additionalProperties: true })
