/** What a histogram has seen, as plain numbers that pass between threads. */
export interface HistogramFigures {
  /** Upper bounds of the buckets, rising; what is above the last counts in a bucket of its own. */
  readonly bounds: readonly number[]
  /** Of each bucket alone, one more than there are bounds. */
  readonly counts: readonly number[]
  readonly sum: number
}

/** Counts values by size, without knowing who will ask for them: a few comparisons for each value. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  /** @param bounds  rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** A value equal to a bound is within it, as in Prometheus. */
  observe(value: number): void {
    let bucket = 0
    while (value > (this.#bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += value
  }

  get figures(): HistogramFigures {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum }
  }
}
