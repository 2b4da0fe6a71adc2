/**
 * Wing and Gong's search with Lowe's memory (WGL): is there one order of these operations that
 * respects real time and that a single, plain variable could have gone through?
 */
export interface TimedStep<State> {
  readonly invokedAt: number
  /** Infinity: the outcome is unknown, so the step may also never have happened. */
  readonly returnedAt: number
  /** The state after the step, if its answer fits the state before; null when it does not. */
  take(state: State): State | null
}

/** @returns null when the search grew past `maxStates` and was given up */
export function isLinearizable<State>(
  steps: readonly TimedStep<State>[],
  initial: State,
  options: { readonly keyOf: (state: State) => string; readonly maxStates: number },
): boolean | null {
  const sorted = [...steps].sort((a, b) => a.invokedAt - b.invokedAt)
  const search = new Search(sorted, options.keyOf, options.maxStates)
  return search.run(initial)
}

class Search<State> {
  readonly #steps: readonly TimedStep<State>[]
  readonly #keyOf: (state: State) => string
  readonly #taken: boolean[]
  readonly #visited = new Set<string>()
  #statesLeft: number

  constructor(
    steps: readonly TimedStep<State>[],
    keyOf: (state: State) => string,
    maxStates: number,
  ) {
    this.#steps = steps
    this.#keyOf = keyOf
    this.#taken = steps.map(() => false)
    this.#statesLeft = maxStates
  }

  run(state: State): boolean | null {
    const first = this.#taken.indexOf(false)
    const open = this.#openSteps(first)
    if (open.every((index) => !this.#mustBeTaken(index))) return true
    const key = this.#positionKey(first, state)
    if (this.#visited.has(key)) return false
    this.#visited.add(key)
    this.#statesLeft -= 1
    if (this.#statesLeft < 0) return null
    for (const index of open) {
      const next = this.#steps[index]?.take(state) ?? null
      if (next === null) continue
      this.#taken[index] = true
      const found = this.run(next)
      if (found !== false) return found
      this.#taken[index] = false
    }
    return false
  }

  /** Steps that may come next: invoked before any other untaken step returned. */
  #openSteps(first: number): number[] {
    if (first < 0) return []
    let earliestReturn = Number.POSITIVE_INFINITY
    const open: number[] = []
    for (let index = first; index < this.#steps.length; index += 1) {
      const step = this.#steps[index]
      if (step === undefined || step.invokedAt > earliestReturn) break
      if (this.#taken[index] === true) continue
      open.push(index)
      earliestReturn = Math.min(earliestReturn, step.returnedAt)
    }
    return open.filter((index) => (this.#steps[index]?.invokedAt ?? 0) <= earliestReturn)
  }

  #mustBeTaken(index: number): boolean {
    return Number.isFinite(this.#steps[index]?.returnedAt)
  }

  #positionKey(first: number, state: State): string {
    let beyond = ''
    for (let index = first; index < this.#taken.length; index += 1) {
      if (this.#taken[index] === true) beyond += `${index},`
    }
    return `${first}/${beyond}/${this.#keyOf(state)}`
  }
}
