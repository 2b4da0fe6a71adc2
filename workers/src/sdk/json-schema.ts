/**
 * JSON Schema as people write it in a definition, and the TypeScript type that it describes.
 *
 * The inference follows the keywords that say something about types (`type`, `properties`,
 * `required`, `items`, `enum`, `const`, `anyOf`, `oneOf`); what it does not know is `unknown`, never
 * wrong. Checking values against a schema is the node's work (ajv, in the services thread).
 */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

interface TypeNames {
  readonly string: string
  readonly number: number
  readonly integer: number
  readonly boolean: boolean
  readonly null: null
}

/** The type of the values that a schema accepts; `unknown` where there is no schema. */
export type FromSchema<S> = S extends { readonly const: infer Value }
  ? Value
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly anyOf: readonly (infer Choice)[] }
      ? FromSchema<Choice>
      : S extends { readonly oneOf: readonly (infer Choice)[] }
        ? FromSchema<Choice>
        : S extends { readonly type: infer Name }
          ? FromTypeName<S, Name extends readonly (infer One)[] ? One : Name>
          : unknown

type FromTypeName<S, Name> = Name extends keyof TypeNames
  ? TypeNames[Name]
  : Name extends 'array'
    ? S extends { readonly items: infer Items }
      ? readonly FromSchema<Items>[]
      : readonly unknown[]
    : Name extends 'object'
      ? FromObject<S>
      : unknown

type FromObject<S> = S extends { readonly properties: infer Properties }
  ? Flat<
      { readonly [K in keyof Properties & RequiredOf<S>]: FromSchema<Properties[K]> } & {
        readonly [K in Exclude<keyof Properties, RequiredOf<S>>]?: FromSchema<Properties[K]>
      }
    >
  : S extends { readonly additionalProperties: infer Value extends object }
    ? Readonly<Record<string, FromSchema<Value>>>
    : Readonly<Record<string, unknown>>

type RequiredOf<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never
type Flat<T> = { [K in keyof T]: T[K] }
