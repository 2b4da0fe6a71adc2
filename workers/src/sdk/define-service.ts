import type { RetrySpec } from '@gyre/jobs'
import type { FromSchema, JsonSchema } from './json-schema.js'
import type { ServiceContext } from './service-context.js'

/**
 * A service: a small named piece of work that may be run again at any time.
 *
 * Checked when the node loads it, not when it is written: `defineService` gives its argument back, and
 * a plain object of the same shape does as well, so a plugin needs no import.
 */
export interface ServiceDefinition<
  Input extends JsonSchema,
  Output extends JsonSchema,
  Result extends FromSchema<Output>,
> {
  /** Dotted words of letters, digits, `_` and `-`, for example `stock.reserve`. One per node. */
  readonly name: string
  /** Shown to people; default `0.0.0`. */
  readonly version?: string
  readonly description?: string
  /** JSON Schemas of input and output; absent: anything goes. */
  readonly input?: Input
  readonly output?: Output
  /** How long one attempt may take; default 60 s. A step's own `timeout` wins. */
  readonly timeout?: number | string
  /** Where a step gives no policy of its own. */
  readonly retry?: RetrySpec
  /** Attempts of this service at a time on one node, 1 to 1,000; default 64. */
  readonly concurrency?: number
  /** What one attempt takes of its node; it starts only where all of that is free. Default: nothing. */
  readonly requires?: ServiceRequires
  /** Only nodes with these labels are asked. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * `loop` (the default): on the event loop that services share. `thread`: computes for long, alone in
   * a thread, which is ended when the attempt is to stop and does not.
   */
  readonly isolation?: 'loop' | 'thread'
  /**
   * For how long a result is shared with later tasks of the same service, version and input, of any job:
   * they are given it and do not run. Only for what always gives the same, and without `compensate`.
   */
  readonly memoize?: number | string
  /**
   * Does the work. Its result is the step's output (JSON, at most 256 KiB; undefined becomes null);
   * a `ServiceError` says whether to try again, any other thrown value is tried again.
   */
  run(input: FromSchema<Input>, ctx: ServiceContext): Result | Promise<Result>
  /**
   * Undoes a run that was done, or that may have been done: `output` is null when nobody knows.
   * It may run after nothing happened, and more than once.
   */
  compensate?(input: FromSchema<Input>, output: Result | null, ctx: ServiceContext): unknown
}

export interface ServiceRequires {
  readonly cpu?: number
  readonly memoryMb?: number
  readonly units?: Readonly<Record<string, number>>
}

/**
 * Declares a service; the types of `input` and `output` are read off the schemas, without an output
 * schema off what `run` returns.
 */
export function defineService<
  const Input extends JsonSchema = JsonSchema,
  const Output extends JsonSchema = JsonSchema,
  Result extends FromSchema<Output> = FromSchema<Output>,
>(definition: ServiceDefinition<Input, Output, Result>): ServiceDefinition<Input, Output, Result> {
  return definition
}
