import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import { AttemptLog } from './attempt-log.js'
import type { ServicesLogLine } from './thread-messages.js'

/** An attempt in the thread, as the supervisor knows it. */
export interface RunningAttempt {
  readonly attempt: string
  /** Its name in shared memory. */
  readonly serial: number
  readonly service: string
  readonly hook: 'run' | 'compensate'
  readonly job: string
  readonly step: string
  readonly log: AttemptLog
  aborted: AbortReason | null
  /** Cancels the alarm that ends the thread when the handler ignores its abort signal. */
  cancelGrace: (() => void) | null
  /** Cancels the next note of what it tells (live-news.ts); null: it has told nothing new. */
  cancelNews: (() => void) | null
}

/**
 * The attempts in flight, and the last few that ended: a handler may have left code behind that
 * blocks the thread after its attempt was settled, and shall still be named.
 */
export class RunningAttempts {
  readonly #byId = new Map<string, RunningAttempt>()
  readonly #recent = new Map<number, RunningAttempt>()
  #lastSerial = 0

  get count(): number {
    return this.#byId.size
  }

  add(dispatch: Dispatch): RunningAttempt {
    this.#lastSerial = (this.#lastSerial % SERIAL_MAX) + 1
    const { attempt, service, hook, job, step } = dispatch
    const running: RunningAttempt = {
      attempt,
      serial: this.#lastSerial,
      service,
      hook,
      job,
      step,
      log: new AttemptLog(),
      aborted: null,
      cancelGrace: null,
      cancelNews: null,
    }
    this.#byId.set(attempt, running)
    return running
  }

  get(attempt: string): RunningAttempt | undefined {
    return this.#byId.get(attempt)
  }

  /** The attempt that wrote a line; undefined: none that runs. */
  of({ fields: { attempt } }: ServicesLogLine): RunningAttempt | undefined {
    return typeof attempt === 'string' ? this.#byId.get(attempt) : undefined
  }

  has(attempt: string): boolean {
    return this.#byId.has(attempt)
  }

  remove(attempt: string): RunningAttempt | undefined {
    const running = this.#byId.get(attempt)
    if (running === undefined) return undefined
    running.cancelGrace?.()
    running.cancelNews?.()
    this.#byId.delete(attempt)
    this.#remember(running)
    return running
  }

  removeAll(): RunningAttempt[] {
    const all = [...this.#byId.values()]
    for (const running of all) this.remove(running.attempt)
    return all
  }

  all(): RunningAttempt[] {
    return [...this.#byId.values()]
  }

  /** Whose code that is, running or ended lately; undefined: nobody's that we know. */
  findBySerial(serial: number): RunningAttempt | undefined {
    for (const running of this.#byId.values()) if (running.serial === serial) return running
    return this.#recent.get(serial)
  }

  #remember(running: RunningAttempt): void {
    this.#recent.set(running.serial, running)
    const [oldest] = this.#recent.keys()
    if (this.#recent.size > RECENT_MAX && oldest !== undefined) this.#recent.delete(oldest)
  }
}

/** The cell in shared memory is a signed 32-bit integer; 0 is nobody. */
const SERIAL_MAX = 0x7fffffff
/** Ended attempts remembered by name; older stray code is reported without one. */
const RECENT_MAX = 1_000

/** How an attempt ends that was asked to stop and did, or was made to. */
export function outcomeOfAbort(reason: AbortReason): AttemptOutcome {
  switch (reason) {
    case 'timed_out':
      return { kind: 'timed_out' }
    case 'cancelled':
      return { kind: 'cancelled' }
    case 'lease_lost':
    case 'stopping':
      return { kind: 'lost', charged: false }
  }
}
