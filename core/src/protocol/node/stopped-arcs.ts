import type { ArcId, Instant } from '../../base/ids.js'
import type { Admission } from './admission.js'
import type { ArcState } from './arc-state.js'
import type { Delivery } from './delivery.js'
import type { EngineOutputs } from './engine-outputs.js'
import type { Grants } from './grants.js'
import { applyStopped, type Refusal } from './refusals.js'
import type { Timers } from './timers.js'

export interface StoppedArcsOptions {
  readonly outputs: EngineOutputs
  readonly delivery: Delivery
  readonly admission: Admission
  readonly grants: Grants
  readonly timers: Timers
  readonly refuse: (request: number, arc: ArcId, refusal: Refusal) => void
}

/**
 * An arc whose next entry this version cannot apply stands still; the node and its other arcs go on
 * (design §9). What it was asked is refused, what was on its way stays in the log.
 */
export class StoppedArcs {
  readonly #options: StoppedArcsOptions

  constructor(options: StoppedArcsOptions) {
    this.#options = options
  }

  /** Takes what was on its way off all desks, and tells whoever waits for it. */
  stop(state: ArcState, message: string, mono: Instant): void {
    const { outputs, delivery, admission, grants, timers } = this.#options
    const { arc } = state
    state.stopped = message
    const left = state.giveUp()
    delivery.noteGivenUp(left.unapplied)
    admission.noteInLog(left.pending)
    admission.noteApplied(left.open, left.chars)
    grants.applied(arc, Number.MAX_SAFE_INTEGER)
    grants.setDemand(arc, {}, mono)
    timers.set(arc, null)
    outputs.toApi({ kind: 'alarm', code: 'apply_stopped', message: `arc ${arc}: ${message}` })
    for (const request of left.requests) if (request !== 0) this.refuse(request, state)
  }

  refuse(request: number, { arc, stopped }: ArcState): void {
    const refusal = applyStopped(stopped ?? 'the arc applies')
    this.#options.refuse(request, arc, refusal)
  }
}
