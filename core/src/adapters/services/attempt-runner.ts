import type { JobError, Json } from '@gyre/jobs'
import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import { AttemptAborted, makeContext, type SharedContext } from './attempt-context.js'
import { FairTurns } from '../../base/fair-turns.js'
import type { LoadedService } from './definition.js'
import { type HandlerSettings, redactor, secretsOf } from './handler-settings.js'
import type { Heart } from './heart.js'
import type { CodeOwner, OnCpu } from './on-cpu.js'
import { QUICK_CHECK_STEPS_MAX } from './limits.js'
import { errorOf, failedBody, outcomeBody, outputText, permanent } from './outcome.js'
import { LazySignal } from './lazy-signal.js'
import type { AttemptLife, RecordCalls } from './record-calls.js'
import { outcomeOfAbort } from './running-attempts.js'
import type { ServicesLogLine } from './thread-messages.js'
import type { SchemaCheck, SchemaFault } from './user-schema.js'

export interface AttemptRunnerOptions {
  readonly services: ReadonlyMap<string, LoadedService>
  readonly onCpu: OnCpu
  /** Beats from each attempt's start to its end. */
  readonly heart: Pick<Heart, 'begin' | 'beat'>
  readonly log: (line: ServicesLogLine) => void
  /** So many lines of an attempt wait in this thread. */
  readonly noteHeld: (serial: number, lines: number) => void
  readonly records: RecordCalls
  readonly settings: HandlerSettings
  /** The attempt has settled; `body` is JSON of its AttemptOutcome. */
  readonly ended: (attempt: string, body: string) => void
}

interface InFlight {
  readonly owner: CodeOwner
  readonly signal: LazySignal
  aborted: AbortReason | null
  /** Tells what of its progress was held back. */
  flush: () => void
  readonly life: AttemptLife
}

/**
 * Runs attempts in the services thread and reports how each settled.
 *
 * Not its job: how many run at a time (the engine's grants), how long (the ledger's timers send
 * `abort`), and what becomes of a handler that never settles (the supervisor).
 */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions
  readonly #shared: SharedContext
  readonly #longChecks = new FairTurns<InFlight>(
    { now: () => performance.now(), later: (go) => setImmediate(go) },
    0,
  )
  readonly #inFlight = new Map<string, InFlight>()

  constructor(options: AttemptRunnerOptions) {
    this.#options = options
    const { records, settings } = options
    this.#shared = {
      records,
      config: settings.config,
      secrets: secretsOf(settings),
      redact: redactor(settings),
    }
  }

  run(serial: number, dispatch: Dispatch): void {
    const { attempt, service } = dispatch
    const owner: CodeOwner = { serial, attempt, service }
    const flight: InFlight = {
      owner,
      signal: new LazySignal(),
      aborted: null,
      flush: () => {},
      life: { isOver: false },
    }
    const isOver = this.#options.heart.begin()
    this.#inFlight.set(attempt, flight)
    this.#options.onCpu.run(owner, () => {
      void this.#settle(dispatch, flight).then((body) => {
        this.#inFlight.delete(attempt)
        flight.life.isOver = true
        flight.flush()
        isOver()
        this.#options.ended(attempt, body)
      })
    })
  }

  abort(attempt: string, reason: AbortReason): void {
    const flight = this.#inFlight.get(attempt)
    if (flight === undefined || flight.aborted !== null) return
    flight.aborted = reason
    // As the attempt's own: its listeners run inside this call.
    this.#options.onCpu.run(flight.owner, () => flight.signal.abort(new AttemptAborted(reason)))
  }

  /** Never rejects. A success counts even after an abort: the log decides which came first. */
  async #settle(dispatch: Dispatch, flight: InFlight): Promise<string> {
    try {
      return await this.#call(dispatch, flight)
    } catch (thrown) {
      if (flight.aborted !== null) return outcomeBody(outcomeOfAbort(flight.aborted))
      return failedBody(this.#redacted(errorOf(thrown)))
    }
  }

  /** The message and details only: a code that is a secret gives nothing away that was not public. */
  #redacted(error: JobError): JobError {
    const { redact } = this.#shared
    const { message, details } = error
    const told = { ...error, message: redact(message) }
    return details === undefined
      ? told
      : { ...told, details: JSON.parse(redact(JSON.stringify(details))) }
  }

  async #call(dispatch: Dispatch, flight: InFlight): Promise<string> {
    const service = this.#options.services.get(dispatch.service)
    if (service === undefined) return outcomeBody({ kind: 'not_started' })
    const { log: write, noteHeld, heart } = this.#options
    const { serial } = flight.owner
    const beat = (): void => heart.beat()
    const { context: ctx, flush } = makeContext(dispatch, {
      ...this.#shared,
      signal: flight.signal,
      life: flight.life,
      write,
      noteHeld: (lines) => noteHeld(serial, lines),
      beat,
    })
    flight.flush = flush
    const body: { input: Json; output?: Json } = JSON.parse(dispatch.body)
    if (dispatch.hook === 'compensate') {
      if (service.compensate === null) return failedBody(noHook(dispatch.service))
      return bodyOf(outputText(await service.compensate(body.input, body.output ?? null, ctx)))
    }
    const fault = await this.#faultIn(flight, service.checkInput, body.input)
    // While it waited, it may have been told to stop.
    flight.signal.throwIfAborted()
    if (fault !== null) {
      const where = fault.path === '' ? 'the input' : fault.path
      return failedBody(
        permanent('schema_mismatch', `input of ${dispatch.service}: ${where} ${fault.message}`),
      )
    }
    return this.#checked(flight, service, await service.run(body.input, ctx))
  }

  /** What is checked is the text that will be stored, not the object that the handler still holds. */
  async #checked(flight: InFlight, service: LoadedService, output: unknown): Promise<string> {
    const text = outputText(output)
    if (!text.ok) return failedBody(text.error)
    if (service.offer.output === undefined) return bodyOf(text)
    const fault = await this.#faultIn(flight, service.checkOutput, JSON.parse(text.text))
    if (fault === null) return bodyOf(text)
    const where = fault.path === '' ? 'the output' : fault.path
    return failedBody(
      permanent('output_invalid', `output of ${service.offer.name}: ${where} ${fault.message}`),
    )
  }

  /** Most values are checked at once. One that takes long waits for the others of its kind: neighbours go on between. */
  async #faultIn(flight: InFlight, check: SchemaCheck, value: Json): Promise<SchemaFault | null> {
    const fault = check(value, { left: QUICK_CHECK_STEPS_MAX })
    if (fault?.ranOut !== true) return fault
    return this.#longChecks.run(flight, () =>
      this.#options.onCpu.run(flight.owner, () => check(value)),
    )
  }
}

function bodyOf(output: ReturnType<typeof outputText>): string {
  return output.ok ? `{"kind":"succeeded","output":${output.text}}` : failedBody(output.error)
}

function noHook(service: string): JobError {
  return permanent(
    'no_compensation',
    `service ${service} has no compensate function any more; add it, or skip the step`,
  )
}
