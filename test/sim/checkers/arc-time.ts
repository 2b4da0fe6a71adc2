import { type Checker, type Observation, Violation } from '../observation.js'

const SLEW = 0.1
/** A term-start may be delivered long after it was stamped, so that later entries seem to hurry. */
const DELIVERY_SLACK_MS = 70_000

/**
 * I19: arc time never goes back; within a life it runs at most 10 % faster than true time, whatever
 * the wall clock does.
 */
export class ArcTime implements Checker {
  readonly name = 'arc-time'
  readonly #last = new Map<number, { readonly index: number; readonly t: number }>()
  /** First own reading of a life, per arc: what the slew is measured from. */
  readonly #base = new Map<number, { readonly at: number; readonly t: number }>()

  observe(at: number, observation: Observation): void {
    if (observation.kind === 'life-began') this.#base.clear()
    if (observation.kind !== 'entry') return
    const { arc, index, body, request } = observation.entry
    const { t, c } = JSON.parse(body)
    const last = this.#last.get(arc)
    if (last !== undefined && index <= last.index) return
    if (last !== undefined && t < last.t) {
      throw new Violation(
        this.name,
        `arc ${arc}: entry ${index} has t=${t}, the one before ${last.t} (request ${request})`,
      )
    }
    this.#last.set(arc, { index, t })
    const base = this.#base.get(arc)
    if (c.kind === 'term-start' || base === undefined) {
      if (c.kind === 'term-start') this.#base.set(arc, { at, t })
      return
    }
    const most = (at - base.at) * (1 + SLEW) + DELIVERY_SLACK_MS
    this.#checkRate(arc, index, t - base.t, most)
  }

  #checkRate(arc: number, index: number, advanced: number, most: number): void {
    if (advanced <= most) return
    throw new Violation(
      this.name,
      `arc ${arc}: arc time advanced ${advanced} ms up to entry ${index}, at most ${most} were true`,
    )
  }
}
