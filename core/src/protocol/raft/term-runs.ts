import { assert } from '../../base/assert.js'
import type { LogIndex, Term } from '../../base/ids.js'

/** From this index on entries have this term, up to the next run. */
export interface TermRun {
  readonly from: LogIndex
  readonly term: Term
}

/**
 * The term of each index of a log, in memory, as runs: as many as there were terms, not entries. So
 * probing for the place where two logs part reads nothing from disk.
 *
 * Runs rise in `from` and in `term`. Before the first run terms are not known.
 */
export class TermRuns {
  #runs: TermRun[]

  constructor(runs: readonly TermRun[]) {
    this.#runs = [...runs]
  }

  /** Of the newest entry; 0 when there is none. */
  get last(): Term {
    return this.#runs[this.#runs.length - 1]?.term ?? 0
  }

  /** @returns undefined before the first run */
  at(index: LogIndex): Term | undefined {
    return this.#runAt(index)?.term
  }

  /** First index of the run that `index` is in; undefined before the first run. */
  startOf(index: LogIndex): LogIndex | undefined {
    return this.#runAt(index)?.from
  }

  /** An entry is appended at the end. */
  note(index: LogIndex, term: Term): void {
    const { last } = this
    if (term === last) return
    assert(term > last, `the term fell from ${last} to ${term} at entry ${index}`)
    this.#runs.push({ from: index, term })
  }

  truncateFrom(index: LogIndex): void {
    while ((this.#runs[this.#runs.length - 1]?.from ?? -1) >= index) this.#runs.pop()
  }

  /** Entries before `index` are not asked for any more. */
  forgetBefore(index: LogIndex): void {
    const at = this.#runs.findLastIndex((run) => run.from <= index)
    if (at > 0) this.#runs.splice(0, at)
  }

  #runAt(index: LogIndex): TermRun | undefined {
    // The newest runs are asked for most.
    for (let at = this.#runs.length - 1; at >= 0; at -= 1) {
      const run = this.#runs[at]
      if (run !== undefined && run.from <= index) return run
    }
    return undefined
  }
}
