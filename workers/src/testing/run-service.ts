import { type DurationSpec, type Json, jsonText, parseDuration } from '@gyre/jobs'
import type { TestClock } from './test-clock.js'
import {
  type LoggedLine,
  type ProgressNote,
  testContext,
  type TestContextOptions,
} from './test-context.js'
import { type ServiceContext, ServiceError } from '../sdk/index.js'

/** As far as a test run needs a service; what `defineService` returned is one. */
export interface RunnableService<Input> {
  readonly timeout?: DurationSpec
  run(input: Input, ctx: ServiceContext): unknown
}

export interface RunOptions extends Omit<TestContextOptions, 'lines' | 'progressNotes' | 'signal'> {
  /** With it the service's own timeout (60 s where it has none) passes as the clock is moved. */
  readonly clock?: TestClock
}

export type TestOutcome =
  | { readonly kind: 'succeeded'; readonly output: Json }
  | { readonly kind: 'failed'; readonly error: unknown }

/** An attempt of a service in a test. */
export interface TestRun {
  /** How it ended; never rejects. */
  readonly ended: Promise<TestOutcome>
  readonly lines: readonly LoggedLine[]
  readonly progressNotes: readonly ProgressNote[]
  readonly ctx: ServiceContext
  /** Asks the handler to stop, as the node does on timeout, cancel or a lost lease. */
  abort(reason?: 'timed_out' | 'cancelled' | 'lease_lost' | 'stopping'): void
}

/**
 * Runs one attempt of a service without a node: with a hash table in memory, its log and progress
 * collected, and an abort. The output goes through JSON and is refused as it is on a node: one
 * that JSON cannot carry, or a too large one, fails the run. Schemas are the node's to check, and
 * retries are the ledger's.
 */
export function runService<Input>(
  service: RunnableService<Input>,
  input: Input,
  { clock, ...options }: RunOptions = {},
): TestRun {
  const controller = new AbortController()
  const lines: LoggedLine[] = []
  const progressNotes: ProgressNote[] = []
  const { signal } = controller
  const ctx = testContext({ ...options, lines, progressNotes, signal })
  const abort: TestRun['abort'] = (reason = 'cancelled') => controller.abort(aborted(reason))
  const timeoutMs = parseDuration(service.timeout ?? '60s') ?? 60_000
  void clock?.sleep(timeoutMs).then(() => abort('timed_out'))
  return { ended: settle(() => service.run(input, ctx)), lines, progressNotes, ctx, abort }
}

async function settle(run: () => unknown): Promise<TestOutcome> {
  try {
    const output = await run()
    const json = jsonText(output === undefined ? null : output)
    if (!json.ok) return { kind: 'failed', error: refused(json) }
    return { kind: 'succeeded', output: JSON.parse(json.text) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

function refused({ isTooLarge, message }: { isTooLarge: boolean; message: string }): ServiceError {
  const code = isTooLarge ? 'output_too_large' : 'output_invalid'
  return new ServiceError(code, `the output ${message}`, { retryable: false })
}

/** As the node's: libraries know it for an abort by its name. */
function aborted(reason: string): Error {
  const error = new Error(`the attempt shall stop: ${reason}`)
  return Object.assign(error, { name: 'AbortError', code: 'attempt_aborted', reason })
}
