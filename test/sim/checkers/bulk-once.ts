import { arcOf } from '@gyre/core/internal/base/ids.js'
import type { JobView } from '../final-state.js'
import type { ClientOperation } from '../operation.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/** What a bulk action says that it has done in an arc. */
interface Sums {
  readonly done: number
  readonly skipped: number
  readonly ended: boolean
}

/**
 * A bulk action meets each job once: what it says of itself only grows and stays as it is once it has
 * ended; and no job is in a later run than operators and bulk retries of its arc, each counted once,
 * can have brought it to.
 */
export class BulkOnce implements Checker {
  readonly name = 'bulk-once'
  readonly #arcCount: number
  /** Bulk action and arc → what it said last. */
  readonly #told = new Map<string, Sums>()
  /** Arc → bulk retries asked for there; job → retries of it that clients wanted. */
  readonly #bulkRetries = new Map<number, Set<string>>()
  readonly #retries = new Map<string, Set<number>>()

  constructor(arcCount: number) {
    this.#arcCount = arcCount
  }

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'invoked') this.#onInvoked(observation.operation)
    if (observation.kind === 'answered' && observation.reply.ok)
      this.#onAnswer(observation.operation, observation.reply.body ?? '{}')
    if (observation.kind === 'rested') for (const job of observation.state.jobs) this.#checkRun(job)
  }

  #onInvoked({ arc, intention, work }: ClientOperation): void {
    if (work.kind !== 'command') return
    const { command } = work
    if (command.kind === 'retry') addTo(this.#retries, command.id, intention)
    if (command.kind === 'act-on-jobs' && command.action === 'retry')
      addTo(this.#bulkRetries, arc, command.bulk)
  }

  #onAnswer({ arc, work }: ClientOperation, body: string): void {
    if (work.kind !== 'command' || work.command.kind !== 'act-on-jobs') return
    const { bulk } = work.command
    const now: Sums = JSON.parse(body)
    const before = this.#told.get(`${bulk} ${arc}`)
    this.#told.set(`${bulk} ${arc}`, now)
    if (before === undefined) return
    const shrinks = now.done < before.done || now.skipped < before.skipped
    const isReopened = before.ended && JSON.stringify(now) !== JSON.stringify(before)
    if (shrinks || isReopened)
      this.#fail(`${bulk} said ${JSON.stringify(before)}, then ${JSON.stringify(now)}`)
  }

  #checkRun({ id, run }: JobView): void {
    const inArc = this.#bulkRetries.get(arcOf(id, this.#arcCount))?.size ?? 0
    const retries = (this.#retries.get(id)?.size ?? 0) + inArc
    if (run > 1 + retries) this.#fail(`job ${id} is in run ${run} after ${retries} retries`)
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}

function addTo<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key) ?? new Set()
  sets.set(key, set.add(value))
}
