import { type ArcId, arcName, type Instant } from '../../base/ids.js'
import { inTheLog } from '../ledger/arc-stop.js'
import type { Admission } from './admission.js'
import type { ArcState } from './arc-state.js'
import type { Delivery } from './delivery.js'
import type { EngineOutputs } from './engine-outputs.js'
import type { Grants } from './grants.js'
import type { ArcStop } from './messages.js'
import { type Refusal, stoppedRefusal } from './refusals.js'
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
 * An arc whose next entry this version cannot apply, or whose rows have rotted, stands still; the node and
 * its other arcs go on (design §9). What it was asked is refused, what was on its way stays in the log.
 */
export class StoppedArcs {
  readonly #options: StoppedArcsOptions

  constructor(options: StoppedArcsOptions) {
    this.#options = options
  }

  /** Takes what was on its way off all desks, and tells whoever waits for it. */
  stop(state: ArcState, stop: ArcStop, mono: Instant): void {
    const { outputs, delivery, admission, grants, timers } = this.#options
    const { arc } = state
    state.stopped = stop
    const left = state.giveUp()
    delivery.noteGivenUp(left.unapplied)
    admission.noteInLog(left.pending)
    admission.noteApplied(left.open, left.chars)
    grants.applied(arc, Number.MAX_SAFE_INTEGER)
    grants.setDemand(arc, {}, mono)
    timers.set(arc, null)
    const code = stop.code === 'arc_unavailable' ? 'arc_damaged' : stop.code
    outputs.toApi({ kind: 'alarm', code, message: `${arcName(arc)}: ${stop.message}` })
    for (const request of left.waiting) if (request !== 0) this.refuse(request, state)
    for (const request of left.logged) if (request !== 0) this.#answerLogged(request, arc, stop)
  }

  refuse(request: number, { arc, stopped }: ArcState): void {
    if (stopped !== null) this.#options.refuse(request, arc, stoppedRefusal(stopped))
  }

  /** What has rotted may be rebuilt, and then the change is there. */
  #answerLogged(request: number, arc: ArcId, stop: ArcStop): void {
    if (stop.code === 'apply_stopped') this.#options.refuse(request, arc, stoppedRefusal(stop))
    else this.#options.outputs.toApi({ kind: 'reply', request, arc, reply: inTheLog(stop) })
  }
}
