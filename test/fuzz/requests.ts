import fc from 'fast-check'
import {
  anyJson,
  fromSchema,
  type Overrides,
  type Schema,
  seldom,
  STEP_NAMES,
  withoutAbsent,
} from './from-schema.js'
import { bodiesOf, perhapsSpoilt } from './spoil.js'

/** Requests drawn from the served OpenAPI document: right, wrong, and wrong in one place. */

export interface FuzzRequest {
  readonly method: string
  /** `KNOWN-n` stands for the n-th of the jobs that the node has acknowledged. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

/** As far as it is read here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: Schema }>>
  }
}

interface Parameter {
  readonly in: string
  readonly name: string
  readonly required?: boolean
  readonly schema: Schema
}

/** Handlers that end; others that hang or block have tests of their own. */
const SERVICES = ['test.echo', 'test.echo', 'test.fail', 'test.flaky', 'text.count', 'nobody.ever']

const jobIds = fc.oneof(
  { arbitrary: fc.nat(5000).map((number) => `KNOWN-${number}`), weight: 6 },
  { arbitrary: fc.stringMatching(/^[0-9a-f]{32}$/), weight: 2 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 1 },
)

const smallDurations = fc.oneof(fc.nat(50), fc.constantFrom('0ms', '20ms', '50ms'))

/** From a year ago to three ahead; a deadline is rarely over. */
function instants(yearsMin: number): fc.Arbitrary<string> {
  const years = fc.integer({ min: yearsMin, max: 3 })
  return years.map((count) => new Date(Date.UTC(2030 + count, 0, 1)).toISOString())
}

/** Bounded work for each request, and nothing that goes by itself while the run is being judged. */
const OVERRIDES: Overrides = {
  service: fc.oneof(
    { arbitrary: fc.constantFrom(...SERVICES), weight: 9 },
    { arbitrary: fc.string(), weight: 1 },
  ),
  job: fc.constantFrom('order', 'text-index', 'nobody'),
  step: STEP_NAMES,
  needs: fc.subarray(['a', 'b', 'c']),
  attempts: fc.integer({ min: 1, max: 3 }),
  delay: smallDurations,
  maxDelay: smallDurations,
  timeout: fc.constantFrom('50ms', '1s', 5000, '1h'),
  runAt: instants(-9),
  startBy: instants(0),
  notAfter: instants(0),
  range: fc.integer({ min: 0, max: 20 }),
  retention: fc.constantFrom('1d', '7d', 86_400_000),
  wait: fc.constantFrom('0', '1ms', '20ms'),
  Prefer: fc.constantFrom('wait=0', 'respond-async', 'wait=00'),
  traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  createdAfter: instants(-9),
  createdBefore: instants(-9),
  id: jobIds,
  name: fc.oneof(STEP_NAMES, fc.string({ maxLength: 70 })),
  key: fc.oneof(
    fc.nat(300).map((number) => `key-${number}`),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  ),
  'If-Match': fc.constantFrom('*', '"1"', 'W/"1"'),
  'If-None-Match': fc.constantFrom('*', '"1"', 'x'),
  'Last-Event-ID': fc.constantFrom('0', '1', '-1', '99999', 'x'),
}

/** Of 20: how often a request is of this method. Reads of whole lists are the slow ones. */
const WEIGHTS: Readonly<Record<string, number>> = { post: 8, put: 6, delete: 4, get: 3 }

export function requestsOf(document: OpenApi): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      arbitrary: requestOf(method, path, operation),
      weight: WEIGHTS[method] ?? 1,
    })),
  )
  return fc.oneof(...operations, { arbitrary: strayRequests, weight: 2 })
}

function requestOf(method: string, path: string, operation: Operation): fc.Arbitrary<FuzzRequest> {
  const { parameters = [], requestBody } = operation
  const body = requestBody?.content['application/json']
  return fc
    .record({
      path: membersOf(parameters, 'path'),
      query: membersOf(parameters, 'query'),
      headers: membersOf(parameters, 'header'),
      stray: fc.oneof({ arbitrary: fc.constant(''), weight: 15 }, strayQueries),
      body: body === undefined ? fc.constant(null) : bodyOf(body.schema ?? {}),
      type: fc.oneof({ arbitrary: fc.constant('application/json'), weight: 25 }, mediaTypes),
    })
    .map((drawn) => ({
      method: method.toUpperCase(),
      path: `${filled(path, drawn.path)}${queryOf(drawn.query, drawn.stray)}`,
      headers: {
        ...printable(drawn.headers),
        ...(drawn.body === null ? {} : { 'content-type': drawn.type }),
      },
      body: drawn.body,
    }))
}

/** Of a schema that allows anything, anything; else mostly what it asks for. */
function bodyOf(schema: Schema): fc.Arbitrary<Buffer> {
  const isAny = Object.keys(schema).every((keyword) => keyword === 'description')
  return bodiesOf(isAny ? anyJson : perhapsSpoilt(fromSchema(schema, OVERRIDES)))
}

type Drawn = Readonly<Record<string, unknown>>

function membersOf(parameters: readonly Parameter[], place: string): fc.Arbitrary<Drawn> {
  const members = parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, schema }) => {
      const value = OVERRIDES[name] ?? fromSchema(schema, OVERRIDES)
      if (place === 'path') return [name, value] as const
      return [name, seldom(fc.oneof({ arbitrary: value, weight: 12 }, fc.string()))] as const
    })
  return fc.record(Object.fromEntries(members)).map((drawn) => ({ ...withoutAbsent(drawn) }))
}

const mediaTypes = fc.constantFrom('text/plain', 'application/json; charset=latin1', 'x', '')

const strayQueries = fc.constantFrom(
  'unknown=1',
  'limit=1&limit=2',
  '%',
  'label.a=1',
  '&&=&',
  'a[b]=1',
)

/** What is in no document at all. */
const strayRequests: fc.Arbitrary<FuzzRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PATCH', 'OPTIONS', 'DELETE'),
    path: fc.string({ unit: 'binary', maxLength: 40 }).map(percentEncoded),
  })
  .map(({ method, path }) => ({ method, path: `/v1/${path}`, headers: {}, body: null }))

function filled(path: string, values: Drawn): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => percentEncoded(String(values[name])))
}

function queryOf(values: Drawn, stray: string): string {
  const pairs = Object.entries(values).map(
    ([name, value]) => `${name}=${percentEncoded(String(value))}`,
  )
  const all = stray === '' ? pairs : [...pairs, stray]
  return all.length === 0 ? '' : `?${all.join('&')}`
}

/** Of lone surrogates too, which become what no decoder takes. */
function percentEncoded(text: string): string {
  return /\p{Surrogate}/u.test(text) ? '%ED%A0%80' : encodeURIComponent(text)
}

/** What an HTTP client lets through as a header. */
function printable(headers: Drawn): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => {
    return [name, String(value).replace(/[^\x21-\x7e]/g, '')] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== ''))
}
