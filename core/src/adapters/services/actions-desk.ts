import type { Clock } from '../../ports/clock.js'
import type { ActCommand } from '../../protocol/ledger/command.js'
import type {
  AbortReason,
  Dispatch,
  FromServices,
  ToServices,
} from '../../protocol/node/messages.js'
import { outcomeBody } from './outcome.js'
import { outcomeOfAbort } from './running-attempts.js'

/** How many bulk actions go on at a time. */
export const ACTIONS_SLOTS = 2

/** Before a slice that was an overloaded node has refused is asked for again, milliseconds. */
const AGAIN_MS = 250

/** Above what the hash table's calls ever reach: both answer to the same engine. */
const FIRST_REQUEST = 2 ** 40

/** What is said for an arc that applies nothing, maybe for long. */
const STANDSTILL: readonly string[] = ['arc_unavailable', 'apply_stopped', 'outcome_unknown']

export interface ActionsDeskOptions {
  readonly clock: Clock
  readonly arcCount: number
  readonly toEngine: (message: FromServices) => void
}

type Reply = Extract<ToServices, { readonly kind: 'reply' }>

/** A bulk action under way: which arc it is at, and the sums of those before. */
interface Running {
  readonly attempt: string
  readonly command: ActCommand
  arc: number
  readonly sums: { done: number; skipped: number; failed: number }
  /** Why arcs before did not do it, each once. */
  readonly missing: string[]
  cancelAgain: () => void
}

/**
 * Runs bulk actions, arc by arc and slice by slice. What was done stands in the ledger, entry by entry
 * (act-on-jobs.ts): this only asks for the next slice, so that an attempt which comes after a crash
 * begins at the first arc and is told what it has done there.
 */
export class ActionsDesk {
  readonly #options: ActionsDeskOptions
  readonly #running = new Map<string, Running>()
  readonly #open = new Map<number, Running>()
  #lastRequest = FIRST_REQUEST

  constructor(options: ActionsDeskOptions) {
    this.#options = options
  }

  run({ attempt, job, body }: Dispatch): void {
    const { action, filter }: Omit<ActCommand, 'kind' | 'bulk'> = JSON.parse(body).input
    const running: Running = {
      attempt,
      command: { kind: 'act-on-jobs', bulk: job, action, filter },
      arc: 0,
      sums: { done: 0, skipped: 0, failed: 0 },
      missing: [],
      cancelAgain: () => {},
    }
    this.#running.set(attempt, running)
    this.#askFor(running)
  }

  has(attempt: string): boolean {
    return this.#running.has(attempt)
  }

  /** The slice that is on its way may still happen: it is noted like any other. */
  abort(attempt: string, reason: AbortReason): void {
    const running = this.#running.get(attempt)
    if (running !== undefined) this.#end(running, outcomeBody(outcomeOfAbort(reason)))
  }

  stop(done: () => void): void {
    for (const attempt of [...this.#running.keys()]) this.abort(attempt, 'stopping')
    done()
  }

  /** @returns false when the answer is not to one of its questions */
  answered({ request, reply, body }: Reply): boolean {
    if (request < FIRST_REQUEST) return false
    const running = this.#open.get(request)
    this.#open.delete(request)
    if (running === undefined || !this.#running.has(running.attempt)) return true
    if (reply.ok) this.#onSlice(running, JSON.parse(body ?? '{}'))
    else if (reply.code === 'overloaded') this.#askAgain(running)
    else this.#onRefused(running, reply)
    return true
  }

  #onSlice(running: Running, slice: Running['sums'] & { readonly ended: boolean }): void {
    if (!slice.ended) return this.#askFor(running)
    const { sums } = running
    sums.done += slice.done
    sums.skipped += slice.skipped
    sums.failed += slice.failed
    this.#goOn(running)
  }

  /** An arc that stands still keeps no other from being asked. */
  #onRefused(running: Running, { code, message }: { code: string; message: string }): void {
    running.missing.push(`arc ${running.arc} did not answer: ${message}`)
    if (STANDSTILL.includes(code)) this.#goOn(running)
    else this.#fail(running)
  }

  #goOn(running: Running): void {
    const { sums, missing } = running
    running.arc += 1
    if (running.arc < this.#options.arcCount) return this.#askFor(running)
    if (missing.length > 0) return this.#fail(running)
    this.#end(running, outcomeBody({ kind: 'succeeded', output: { ...sums } }))
  }

  #askFor(running: Running): void {
    this.#lastRequest += 1
    const request = this.#lastRequest
    this.#open.set(request, running)
    const { arc, command } = running
    this.#options.toEngine({ kind: 'propose', request, arc, body: JSON.stringify(command) })
  }

  #askAgain(running: Running): void {
    running.cancelAgain = this.#options.clock.alarm(AGAIN_MS, () => this.#askFor(running))
  }

  /** The next attempt asks each arc again: what was done there is known there. */
  #fail(running: Running): void {
    const [why = '', ...more] = running.missing
    const message = more.length === 0 ? why : `${why}; and ${more.length} more arcs`
    const error = { code: 'bulk_interrupted', message, retryable: true }
    this.#end(running, outcomeBody({ kind: 'failed', error }))
  }

  #end(running: Running, body: string): void {
    running.cancelAgain()
    this.#running.delete(running.attempt)
    this.#options.toEngine({ kind: 'ended', attempt: running.attempt, body })
  }
}
