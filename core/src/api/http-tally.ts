import { Histogram, type HistogramFigures } from '../base/histogram.js'
import type { ProblemCode } from './error-mapping.js'

/** Upper bounds, seconds; the last is longer than a client may have a request wait. */
const LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 60]

export interface RouteFigures {
  readonly method: string
  readonly route: string
  readonly statuses: ReadonlyMap<number, number>
  readonly seconds: HistogramFigures
}

/** Counts answered requests. Once for each of them, so without anything that labels would cost. */
export class HttpTally {
  readonly #routes = new Map<string, RouteTally>()
  readonly #problems = new Map<ProblemCode, number>()

  /** @param route  the pattern of its route, `unknown` where it has none */
  answered(method: string, route: string, status: number, tookMs: number): void {
    const key = `${method} ${route}`
    let tally = this.#routes.get(key)
    if (tally === undefined) {
      tally = { method, route, statuses: new Map(), seconds: new Histogram(LATENCY_BOUNDS) }
      this.#routes.set(key, tally)
    }
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
    tally.seconds.observe(tookMs / 1000)
  }

  problem(code: ProblemCode): void {
    this.#problems.set(code, (this.#problems.get(code) ?? 0) + 1)
  }

  problems(code: ProblemCode): number {
    return this.#problems.get(code) ?? 0
  }

  get routes(): RouteFigures[] {
    return [...this.#routes.values()].map((tally) => ({ ...tally, seconds: tally.seconds.figures }))
  }
}

interface RouteTally {
  readonly method: string
  readonly route: string
  readonly statuses: Map<number, number>
  readonly seconds: Histogram
}
