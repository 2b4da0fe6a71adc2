import { Ajv2020 } from 'ajv/dist/2020.js'
import { default as addFormats } from 'ajv-formats'

type Schema = ReturnType<typeof JSON.parse>

/**
 * The OpenAPI document as a judge of answers. Its objects are open, because later versions add members;
 * for a test they are closed, so that an answer of this version with a member that the document does
 * not name is found.
 */
export class ClosedDocument {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false })
  readonly #paths: Schema
  readonly #routes: readonly { readonly path: string; readonly pattern: RegExp }[]
  /** `GET /v1/jobs 200` and the like, of all answers judged so far. */
  readonly judged = new Set<string>()

  constructor(document: Schema) {
    addFormats.default(this.#ajv)
    const { paths, components } = document
    this.#ajv.addSchema({ $id: 'document', components: closed(components), paths: closed(paths) })
    this.#paths = paths
    // Those without parameters first: /v1/jobs/counts is no job.
    this.#routes = Object.keys(paths)
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
  }

  /** @returns what is wrong with an answer's body; null: nothing */
  judge(method: string, url: string, answer: { status: number; body: unknown }): string | null {
    const [address = ''] = url.split('?')
    const route = this.#routes.find(({ pattern }) => pattern.test(address))?.path ?? ''
    const operation = this.#paths[route]?.[method.toLowerCase()]
    if (operation === undefined) return `${method} ${address} is not in the document`
    const status = String(answer.status) in operation.responses ? answer.status : 'default'
    if (status === 'default' && answer.status < 400)
      return `${answer.status} is not in the document`
    this.judged.add(`${method} ${route} ${status}`)
    const [[type, { schema = true }] = ['', {}]] = Object.entries<Schema>(
      operation.responses[status].content ?? {},
    )
    if (type === '') return answer.body === '' ? null : 'a body where the document has none'
    if (!type.includes('json')) return null
    const pointer = ['paths', route, method.toLowerCase(), 'responses', status, 'content', type]
    const validate = this.#ajv.compile({
      $ref: `document#/${pointer.map(escaped).join('/')}/schema`,
    })
    if (schema === true || validate(answer.body)) return null
    return this.#ajv.errorsText(validate.errors)
  }
}

function escaped(part: string | number): string {
  return encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))
}

/** Every object that names its members has no others. What names none is the users' own. */
function closed(schema: Schema): Schema {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(closed)
  const members = Object.entries(schema).map(([name, value]) => [name, closed(value)])
  const copy = Object.fromEntries(members)
  const isOpen = typeof schema.properties === 'object' && schema.additionalProperties === undefined
  return isOpen ? { ...copy, additionalProperties: false } : copy
}
