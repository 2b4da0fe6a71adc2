import type { Json } from '@gyre/jobs'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import type { AttemptOutcome } from '@gyre/core/internal/protocol/ledger/command.js'
import type { WorkerHost } from '@gyre/core/internal/ports/worker-host.js'
import type {
  AbortReason,
  CapacityOffer,
  Dispatch,
  FromServices,
  OffersBody,
  ToServices,
} from '@gyre/core/internal/protocol/node/messages.js'
import { partsOf } from './attempt-parts.js'
import { type Behaviour, behaviourOf, memberOf } from './behaviour.js'
import { HandlerCounts } from './handler-counts.js'
import type { Observation } from './observation.js'
import type { Refusals } from './sim-refusals.js'
import type { SimThread } from './sim-thread.js'

/** A handler that has not settled 5 s after its abort takes its thread with it (design §5). */
const ABORT_GRACE_MS = 5_000
const RESTART_MS = 200
/** A worker that pauses past the timeout of an attempt goes on this long after it, milliseconds. */
const PAST_TIMEOUT_MS = 20

interface Handler {
  readonly dispatch: Dispatch
  readonly behaviour: Behaviour
  abortedFor: AbortReason | null
}

/**
 * The services thread and its supervisor, simulated: runs no plugin, but behaves as drawn. Tells the
 * checkers when code of an attempt begins, acts on the world outside and ceases.
 *
 * Each dispatched attempt gets its end reported, whatever happens, as the real supervisor promises.
 */
export class SimServices implements WorkerHost {
  readonly #thread: SimThread
  readonly #prng: Prng
  readonly #slots: Readonly<Record<string, number>>
  readonly #totalSlots: number
  readonly #capacity: CapacityOffer | null
  readonly #refused: Refusals
  readonly #logChars: number
  readonly #duplicateReports: number
  readonly #observe: (observation: Observation) => void
  readonly #counts: HandlerCounts
  readonly #running = new Map<string, Handler>()
  #receive: ((messages: readonly FromServices[]) => void) | null = null
  #isUp = false

  constructor(options: {
    /** The supervisor lives in the engine's thread. */
    readonly thread: SimThread
    readonly prng: Prng
    readonly slots: Readonly<Record<string, number>>
    readonly totalSlots: number
    /** Null: nothing but slots is short. */
    readonly capacity: CapacityOffer | null
    readonly refused: Refusals
    /** Length of the line that each attempt logs. */
    readonly logChars: number
    readonly duplicateReports: number
    /** Arcs of the ring, for the records that handlers count in. */
    readonly arcCount: number
    readonly observe: (observation: Observation) => void
  }) {
    this.#thread = options.thread
    this.#prng = options.prng
    this.#slots = options.slots
    this.#totalSlots = options.totalSlots
    this.#capacity = options.capacity
    this.#refused = options.refused
    this.#logChars = options.logChars
    this.#duplicateReports = options.duplicateReports
    this.#observe = options.observe
    const { thread, arcCount, observe } = options
    const toEngine = (message: FromServices): void => this.#emit(message)
    this.#counts = new HandlerCounts({ thread, arcCount, observe, toEngine })
  }

  onReceive(receive: (messages: readonly FromServices[]) => void): void {
    this.#receive = receive
  }

  start(): void {
    this.#thread.after(this.#prng.below(50), () => this.#comeUp())
  }

  stop(done: () => void): void {
    this.ceaseAll()
    this.#thread.after(0, done)
  }

  /** Every handler stops running; nobody reports anything. For the end of the process. */
  ceaseAll(): void {
    this.#isUp = false
    this.#ceaseAll()
  }

  send(message: ToServices): void {
    this.#thread.process.effect()
    if (message.kind === 'dispatch') this.#onDispatch(message)
    else if (message.kind === 'abort') this.#onAbort(message.attempt, message.reason)
    else this.#counts.answered(message)
  }

  /** The thread is gone, with every handler in it, and comes back `downMs` later. */
  restart(downMs: number): void {
    if (!this.#isUp) return
    this.#isUp = false
    const handlers = [...this.#running.values()]
    this.#ceaseAll()
    this.#emit({ kind: 'withdrawn' })
    for (const handler of handlers) this.#report(handler.dispatch.attempt, lastWord(handler))
    this.#thread.after(downMs, () => this.#comeUp())
  }

  #comeUp(): void {
    this.#isUp = true
    const refused = this.#refused
    const room = {
      slots: withoutRefused(this.#slots, refused),
      totalSlots: this.#totalSlots,
      ...(this.#capacity === null ? {} : { capacity: this.#capacity }),
    }
    const isAny = Object.keys(refused).length > 0
    this.#observe({ kind: 'offered', ...room, ...(isAny ? { refused } : {}) })
    const body = JSON.stringify({ ...offersOf(this.#slots), refused })
    this.#emit({ kind: 'offers', ...room, body })
  }

  #onDispatch(dispatch: Dispatch): void {
    this.#observe({ kind: 'dispatched', dispatch })
    if (!this.#isUp) {
      this.#observe({ kind: 'ceased', attempt: dispatch.attempt })
      this.#thread.after(0, () => this.#report(dispatch.attempt, { kind: 'not_started' }))
      return
    }
    const handler: Handler = { dispatch, behaviour: behaviourFor(dispatch), abortedFor: null }
    this.#running.set(dispatch.attempt, handler)
    this.#thread.after(workMs(handler), () => this.#onWorkDone(handler))
    this.#thread.after(Math.floor(handler.behaviour.ms / 2), () => this.#note(handler))
  }

  /** Half-way it tells what it has done, like the real one in a message of its own. */
  #note(handler: Handler): void {
    if (!this.#isRunning(handler)) return
    const { attempt, number } = handler.dispatch
    const progress = JSON.stringify({ at: 1, done: number, total: 2 * number })
    this.#emit({ kind: 'noted', attempt, logs: this.#logOf(attempt), progress })
  }

  #onWorkDone(handler: Handler): void {
    if (!this.#isRunning(handler)) return
    const { behaviour, dispatch } = handler
    switch (behaviour.act) {
      case 'fail':
        return this.#settle(handler, failure('sim_failed', true))
      case 'give-up':
        return this.#settle(handler, failure('sim_gave_up', false))
      case 'flaky':
        if (dispatch.number <= behaviour.failures)
          return this.#settle(handler, failure('sim_flaky', true))
        return this.#succeed(handler)
      case 'fail-late':
        this.#act(dispatch)
        return this.#settle(handler, failure('sim_failed_late', true))
      case 'cut-off':
        this.#act(dispatch)
        return this.#settle(handler, { ...failure('memory_exceeded', true), unknown: true })
      case 'hang':
      case 'deaf':
        return this.#act(dispatch)
      default:
        return behaviour.ms % 2 === 0 ? this.#countFirst(handler) : this.#succeed(handler)
    }
  }

  /** Half of those that succeed count in the hash table before; a handler that was stopped meanwhile, not. */
  #countFirst(handler: Handler): void {
    const { attempt } = handler.dispatch
    this.#counts.count(attempt, handler.behaviour.ms / 2, (hasCounted) => {
      if (!this.#isRunning(handler)) return
      if (hasCounted) this.#succeed(handler)
      else this.#settle(handler, failure('dht_contended', true))
    })
  }

  #succeed(handler: Handler): void {
    this.#act(handler.dispatch)
    this.#settle(handler, { kind: 'succeeded', output: outputOf(handler.dispatch) })
  }

  #onAbort(attempt: string, reason: AbortReason): void {
    this.#observe({ kind: 'aborted', attempt, reason })
    const handler = this.#running.get(attempt)
    if (handler === undefined || handler.abortedFor !== null) return
    handler.abortedFor = reason
    const { act } = handler.behaviour
    if (act === 'deaf') {
      this.#thread.after(ABORT_GRACE_MS, () => {
        if (this.#isRunning(handler)) this.restart(RESTART_MS)
      })
      return
    }
    if (act === 'finish-anyway' || act === 'pause-once') return
    this.#thread.after(this.#prng.below(20), () => {
      if (this.#isRunning(handler)) this.#settle(handler, abortedOutcome(reason))
    })
  }

  #isRunning(handler: Handler): boolean {
    return this.#running.get(handler.dispatch.attempt) === handler
  }

  #act(dispatch: Dispatch): void {
    const { attempt, job, step, item, number, fence, idempotencyKey } = dispatch
    const hook = undoes(dispatch) ? 'compensate' : 'run'
    this.#observe({
      kind: 'effect',
      effect: { attempt, job, step, item, hook, number, fence, idempotencyKey },
    })
  }

  #settle(handler: Handler, outcome: AttemptOutcome): void {
    const { attempt } = handler.dispatch
    this.#running.delete(attempt)
    this.#observe({ kind: 'ceased', attempt })
    this.#thread.after(this.#prng.below(5), () => {
      this.#report(attempt, outcome)
      if (!this.#prng.chance(this.#duplicateReports)) return
      this.#thread.after(this.#prng.below(200), () => this.#report(attempt, outcome))
    })
  }

  #report(attempt: string, outcome: AttemptOutcome): void {
    this.#observe({ kind: 'reported', attempt, outcome })
    this.#emit({
      kind: 'ended',
      attempt,
      body: JSON.stringify(outcome),
      logs: this.#logOf(attempt),
    })
  }

  /** Long enough that a job of many attempts passes the bound of its log. */
  #logOf(attempt: string): string {
    return JSON.stringify([{ at: 1, level: 'info', message: attempt.padEnd(this.#logChars) }])
  }

  #emit(message: FromServices): void {
    this.#thread.process.effect()
    this.#receive?.([message])
  }

  #ceaseAll(): void {
    const attempts = [...this.#running.keys()]
    this.#running.clear()
    for (const attempt of attempts) this.#observe({ kind: 'ceased', attempt })
  }
}

/** What a simulated handler returns: tells later steps, and the checkers, which attempt made it. */
export function outputOf(dispatch: Dispatch): Json {
  return { token: dispatch.attempt }
}

/** A compensation by another service looks to that service like any run; its attempt ID tells. */
function undoes({ attempt }: Dispatch): boolean {
  return partsOf(attempt).isCompensation
}

function behaviourFor(dispatch: Dispatch): Behaviour {
  const body = JSON.parse(dispatch.body) as Json
  const input = memberOf(body, 'input') ?? null
  if (!undoes(dispatch)) return behaviourOf(input)
  const undo = memberOf(input, 'undo') ?? memberOf(memberOf(input, 'input'), 'undo')
  return behaviourOf({ behaviour: undo ?? null })
}

/** How long it works, with the pause that its worker makes. */
function workMs({ dispatch, behaviour }: Handler): number {
  const pauses = behaviour.act === 'pause-once' && dispatch.number === 1
  return behaviour.ms + (pauses ? dispatch.timeoutMs + PAST_TIMEOUT_MS : 0)
}

/** How the supervisor ends an attempt whose thread it had to end. */
function lastWord(handler: Handler): AttemptOutcome {
  if (handler.abortedFor === null) return { kind: 'lost', charged: false }
  return abortedOutcome(handler.abortedFor)
}

function abortedOutcome(reason: AbortReason): AttemptOutcome {
  if (reason === 'timed_out') return { kind: 'timed_out' }
  if (reason === 'cancelled') return { kind: 'cancelled' }
  return { kind: 'lost', charged: false }
}

function failure(
  code: string,
  retryable: boolean,
): Extract<AttemptOutcome, { readonly kind: 'failed' }> {
  return {
    kind: 'failed',
    error: { code, message: 'The simulated handler failed as drawn.', retryable },
  }
}

function withoutRefused(
  slots: Readonly<Record<string, number>>,
  refused: Refusals,
): Readonly<Record<string, number>> {
  const left = Object.entries(slots).filter(([service]) => !Object.hasOwn(refused, service))
  return Object.fromEntries(left)
}

function offersOf(slots: Readonly<Record<string, number>>): OffersBody {
  const services = Object.entries(slots).map(([name, concurrency]) => ({
    name,
    version: '1.0.0',
    timeoutMs: 60_000,
    concurrency,
    compensates: true,
  }))
  return { services, jobs: [], failures: [] }
}
