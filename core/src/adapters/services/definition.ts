import {
  ATTEMPT_TIMEOUT_MS_DEFAULT,
  MEMOIZE_MS_MAX,
  checkJobDefinition,
  type DurationSpec,
  type JobDefinition,
  type Json,
  parseDuration,
  parseJobDefinition,
  parseRetry,
} from '@gyre/jobs'
import type { ServiceContext } from '@gyre/workers'
import type { JobOffer, ServiceOffer } from '../../protocol/node/messages.js'
import { isAmount, isUnit } from './capacity.js'
import { SERVICE_CONCURRENCY_DEFAULT, SERVICE_CONCURRENCY_MAX } from './limits.js'
import { compileUserSchema, type SchemaCheck } from './user-schema.js'

/**
 * Reads what a plugin exports: is it a service, a job, or nothing of ours, and is it right? Every
 * complaint names the member, what was expected and what was found.
 */
export type Definition =
  | {
      readonly kind: 'service'
      readonly service: LoadedService
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'job'; readonly job: JobOffer; readonly warnings: readonly string[] }
  | { readonly kind: 'invalid'; readonly message: string }

/** A service that can run. */
export interface LoadedService {
  readonly offer: ServiceOffer
  readonly checkInput: SchemaCheck
  readonly checkOutput: SchemaCheck
  run(input: Json, ctx: ServiceContext): unknown
  /** Null: the service has no compensation of its own. */
  readonly compensate: ((input: Json, output: Json, ctx: ServiceContext) => unknown) | null
}

type Members = Readonly<Record<string, unknown>>

/** True when somebody meant this value to be a definition, be it a right one or not. */
export function looksLikeDefinition(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  // A module may call a service of its own `run`.
  if ('run' in value && looksLikeDefinition(value.run)) return false
  if ('run' in value || 'steps' in value || 'compensate' in value) return true
  return 'name' in value && ['input', 'output', 'timeout', 'retry'].some((name) => name in value)
}

export function readDefinition(value: Members): Definition {
  const hasRun = value['run'] !== undefined
  const hasSteps = value['steps'] !== undefined
  try {
    if (hasRun && hasSteps)
      throw new Invalid('has both "run" and "steps"; a service has "run", a job has "steps"')
    if (hasRun) return readService(value)
    if (hasSteps) return readJob(value)
    throw new Invalid('has neither "run" (a service) nor "steps" (a job)')
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const { name } = value
    const what = typeof name === 'string' ? `the definition "${name}"` : 'a definition'
    return { kind: 'invalid', message: `${what} ${error.message}` }
  }
}

/** Ends the reading of one definition; caught in `readDefinition`. */
class Invalid extends Error {}

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/
const VERSION_LENGTH_MAX = 64

const SERVICE_MEMBERS = new Set([
  ...['name', 'version', 'description', 'input', 'output', 'timeout', 'retry'],
  ...['concurrency', 'requires', 'labels', 'isolation', 'memoize', 'run', 'compensate'],
])
const JOB_MEMBERS = new Set(['name', 'description', 'input', 'steps', 'output'])

function readService(members: Members): Definition {
  const name = readName(members)
  const { run, compensate } = members
  if (!isFunction(run)) throw expected('run', 'a function (input, ctx)', run)
  if (compensate !== undefined && !isFunction(compensate)) {
    throw expected('compensate', 'a function (input, output, ctx)', compensate)
  }
  const warnings = unknownMembers(members, SERVICE_MEMBERS)
  const service: LoadedService = {
    offer: readOffer(name, members),
    checkInput: readSchema(members, 'input'),
    checkOutput: readSchema(members, 'output'),
    run: (input, ctx) => Reflect.apply(run, members, [input, ctx]),
    compensate:
      compensate === undefined
        ? null
        : (input, output, ctx) => Reflect.apply(compensate, members, [input, output, ctx]),
  }
  return { kind: 'service', service, warnings }
}

function readOffer(name: string, members: Members): ServiceOffer {
  const { version, input, output, retry } = members
  if (version !== undefined && !isText(version, VERSION_LENGTH_MAX)) {
    throw expected('version', `text of at most ${VERSION_LENGTH_MAX} characters`, version)
  }
  if (retry !== undefined && parseRetry(retry) === null) {
    throw expected('retry', '{attempts?, delay?, factor?, maxDelay?, jitter?}', retry)
  }
  return {
    name,
    version: version ?? '0.0.0',
    ...readDescription(members),
    ...(input === undefined ? {} : { input: plain(input) }),
    ...(output === undefined ? {} : { output: plain(output) }),
    timeoutMs: readTimeout(members),
    ...(retry === undefined ? {} : { retry: plain(retry) }),
    concurrency: readConcurrency(members),
    compensates: members['compensate'] !== undefined,
    ...readMemoize(members),
    ...readPlacement(members),
  }
}

function readJob(members: Members): Definition {
  const name = readName(members)
  readSchema(members, 'input')
  const known: Record<string, unknown> = {}
  for (const member of JOB_MEMBERS) {
    if (members[member] !== undefined) known[member] = members[member]
  }
  // Through JSON: what the rest of the node gets to see must be what was checked.
  const data = plain(known)
  const parsed = parseJobDefinition(data)
  if (!parsed.ok) throw new Invalid(`is not a valid job: ${parsed.message}`)
  const [issue] = checkJobDefinition(data)
  if (issue !== undefined) {
    throw new Invalid(`is not a valid job: ${`${issue.path} ${issue.message}`.trim()}`)
  }
  return {
    kind: 'job',
    job: offerOfJob(name, parsed.definition),
    warnings: unknownMembers(members, JOB_MEMBERS),
  }
}

function offerOfJob(name: string, definition: JobDefinition): JobOffer {
  const { description, input, output } = definition
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(input === undefined ? {} : { input }),
    steps: plain(definition.steps),
    ...(output === undefined ? {} : { output }),
  }
}

function readName({ name }: Members): string {
  if (typeof name === 'string' && NAME_PATTERN.test(name)) return name
  throw expected('name', 'letters, digits and "._-", like "stock.reserve", at most 200', name)
}

function readDescription({ description }: Members): { description?: string } {
  if (description === undefined) return {}
  if (!isText(description, 2_000))
    throw expected('description', 'text of at most 2,000 characters', description)
  return { description }
}

function readMemoize({ memoize, compensate }: Members): { memoizeMs?: number } {
  if (memoize === undefined) return {}
  const isSpec = typeof memoize === 'number' || typeof memoize === 'string'
  const memoizeMs = isSpec ? parseDuration(memoize satisfies DurationSpec) : null
  if (memoizeMs === null || memoizeMs < 1 || memoizeMs > MEMOIZE_MS_MAX) {
    throw expected('memoize', 'milliseconds, or text like "30s", "1h", at most "365d"', memoize)
  }
  if (compensate === undefined) return { memoizeMs }
  throw new Invalid('has both "memoize" and "compensate": what one job undoes cannot be shared')
}

function readTimeout({ timeout }: Members): number {
  if (timeout === undefined) return ATTEMPT_TIMEOUT_MS_DEFAULT
  const isSpec = typeof timeout === 'number' || typeof timeout === 'string'
  const timeoutMs = isSpec ? parseDuration(timeout satisfies DurationSpec) : null
  if (timeoutMs !== null && timeoutMs >= 1) return timeoutMs
  throw expected('timeout', 'milliseconds, or text like "500ms", "30s", "5m"', timeout)
}

function readConcurrency({ concurrency }: Members): number {
  if (concurrency === undefined) return SERVICE_CONCURRENCY_DEFAULT
  const isCount = typeof concurrency === 'number' && Number.isInteger(concurrency)
  if (isCount && concurrency >= 1 && concurrency <= SERVICE_CONCURRENCY_MAX) return concurrency
  throw expected('concurrency', `a whole number, 1 to ${SERVICE_CONCURRENCY_MAX}`, concurrency)
}

function readSchema(members: Members, member: 'input' | 'output'): SchemaCheck {
  const schema = members[member]
  if (schema === undefined) return () => null
  const compiled = compileUserSchema(schema)
  if (!compiled.ok) throw new Invalid(`has no usable schema in "${member}": ${compiled.message}`)
  return compiled.check
}

/** What decides where and beside what an attempt runs. */
function readPlacement({
  requires,
  labels,
  isolation,
}: Members): Pick<ServiceOffer, 'requires' | 'isolation' | 'labels'> {
  if (labels !== undefined && !isRecordOf(labels, (value) => typeof value === 'string')) {
    throw expected('labels', 'an object of texts', labels)
  }
  if (isolation !== undefined && isolation !== 'loop' && isolation !== 'thread') {
    throw expected('isolation', '"loop" or "thread"', isolation)
  }
  const asked = labels === undefined ? {} : { labels: plain(labels) as Record<string, string> }
  return { ...readRequires(requires), ...asked, ...(isolation === 'thread' ? { isolation } : {}) }
}

function readRequires(requires: unknown): Pick<ServiceOffer, 'requires'> {
  if (requires === undefined) return {}
  if (!isRecordOf(requires, isRequirement)) {
    throw expected('requires', '{cpu?, memoryMb?, units?: {name: number}}', requires)
  }
  return { requires: plain(requires) as NonNullable<ServiceOffer['requires']> }
}

function isRequirement(value: unknown, name: string): boolean {
  if (name === 'cpu' || name === 'memoryMb') return isAmount(value)
  return name === 'units' && isRecordOf(value, (amount, unit) => isUnit(unit) && isAmount(amount))
}

function isRecordOf(value: unknown, holds: (member: unknown, name: string) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([name, member]) => holds(member, name))
}

function unknownMembers(members: Members, known: ReadonlySet<string>): string[] {
  return Object.keys(members)
    .filter((member) => !known.has(member))
    .map((member) => `has a member "${member}" that this node does not know; it has no effect`)
}

type AnyFunction = (...args: unknown[]) => unknown

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= lengthMax
}

/** A definition's data as JSON, without functions, symbols and shared objects. */
function plain(value: unknown): Json {
  try {
    return JSON.parse(JSON.stringify(value)) as Json
  } catch {
    throw new Invalid('holds data that JSON cannot carry')
  }
}

function expected(member: string, what: string, found: unknown): Invalid {
  return new Invalid(`has a wrong "${member}": expected ${what}, got ${show(found)}`)
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 100)
  } catch {
    return typeof value
  }
}
