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
 * its other arcs go on (design §9). What it was asked is refused, what was on its way stays in the log. What
 * running attempts of it report goes there as well, so that whoever applies it later knows of their ends and
 * does nothing again that was done.
 */
export class StoppedArcs {
  readonly #options: StoppedArcsOptions

  constructor(options: StoppedArcsOptions) {
    this.#options = options
  }

  /** Of one that stands still already only the reason is new. @returns false then */
  stop(state: ArcState, stop: ArcStop, mono: Instant): boolean {
    const isNews = state.stopped === null
    state.stopped = stop
    const code = stop.code === 'arc_unavailable' ? 'arc_damaged' : stop.code
    const message = `${arcName(state.arc)}: ${stop.message}`
    this.#options.outputs.toApi({ kind: 'alarm', code, message })
    // It is to be rebuilt from its first entry on, whatever of it has been durable.
    if (stop.code === 'arc_unavailable') this.#options.outputs.keep(state.arc)
    if (isNews) this.#giveUp(state, mono)
    return isNews
  }

  /** Takes what was on its way off all desks, and tells whoever waits for it. */
  #giveUp(state: ArcState, mono: Instant): void {
    const { delivery, admission, grants, timers } = this.#options
    const { arc } = state
    const left = state.giveUp()
    delivery.noteGivenUp(left.unapplied)
    admission.noteInLog(left.waiting.length)
    admission.noteApplied(left.open, left.chars)
    grants.applied(arc, Number.MAX_SAFE_INTEGER)
    for (const { reservation } of left.waiting) if (reservation) grants.giveBack(arc, reservation)
    grants.setDemand(arc, {}, mono)
    timers.set(arc, null)
    for (const { request } of left.waiting) if (request !== 0) this.refuse(request, state)
    for (const request of left.logged) if (request !== 0) this.#answerLogged(request, state)
  }

  /** What was to be in the log all the same is there. */
  noteKept(state: ArcState): void {
    const { own, chars } = state.noteKept()
    this.#options.admission.noteApplied(own, chars)
  }

  refuse(request: number, { arc, stopped }: ArcState): void {
    if (stopped !== null) this.#options.refuse(request, arc, stoppedRefusal(stopped))
  }

  /** The arc may be applied some day, and then the change is there. */
  #answerLogged(request: number, { arc, stopped }: ArcState): void {
    if (stopped === null) return
    this.#options.outputs.toApi({ kind: 'reply', request, arc, reply: inTheLog(stopped) })
  }
}
