import { assert } from '../../base/assert.js'
import { parseAttemptId } from '../ledger/attempt-id.js'
import type { EngineOutputs } from './engine-outputs.js'
import type { Grants } from './grants.js'
import type { Dispatch } from './messages.js'
import type { Slots } from './slots.js'
import type { Stopping } from './stopping.js'

export interface RunningOptions {
  readonly outputs: EngineOutputs
  readonly grants: Grants
  readonly slots: Slots
  readonly stopping: Stopping
}

/** Attempts that were dispatched to this node's services and have not ended: who holds a slot. */
export class RunningAttempts {
  readonly #options: RunningOptions
  readonly #running = new Map<string, Dispatch>()

  constructor(options: RunningOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#running.size
  }

  begin(dispatch: Dispatch): void {
    const { outputs, grants, stopping } = this.#options
    const { attempt } = dispatch
    const reserved = grants.dispatched(dispatch.arc, dispatch.index, dispatch.service)
    assert(reserved, `G1: ${attempt} was started without a slot`)
    this.#running.set(attempt, dispatch)
    outputs.toServices(dispatch)
    if (stopping.hasAborted) outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
  }

  /**
   * Its slot is free again.
   *
   * @param body  JSON of its AttemptOutcome
   * @param logs  JSON of its LogLines
   * @returns the command that records it; null when it had ended before
   */
  end(
    attempt: string,
    body: string,
    logs?: string,
  ): { dispatch: Dispatch; command: string } | null {
    const { slots, stopping } = this.#options
    const dispatch = this.#running.get(attempt)
    if (dispatch === undefined) return null
    this.#running.delete(attempt)
    slots.giveBack(dispatch.service, 1)
    const ref = JSON.stringify(parseAttemptId(attempt))
    const outcome = stopping.outcomeOf(body)
    const more = logs === undefined ? '' : `,"logs":${logs}`
    const command = `{"kind":"finish-attempt","attempt":${ref},"outcome":${outcome}${more}}`
    return { dispatch, command }
  }

  abortAll(): void {
    for (const attempt of this.#running.keys()) {
      this.#options.outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
    }
  }
}
