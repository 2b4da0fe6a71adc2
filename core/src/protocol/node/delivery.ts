import { broken } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'
import type { ArcState } from './arc-state.js'
import type { EngineOutputs } from './engine-outputs.js'
import { REPLAY_ENTRIES_MAX, UNAPPLIED_ENTRIES_MAX } from './limits.js'

/**
 * The way of committed entries to the ledger thread: each arc's in index order without a gap (N2), as
 * many as it may have at a time. Entries that have left memory are read back from the log by the host.
 */
export class Delivery {
  readonly #outputs: EngineOutputs
  /** Entries that the ledger was given and has not applied. */
  #unapplied = 0
  /** Arcs with committed entries that the ledger had no room for. */
  readonly #heldBack = new Set<ArcState>()

  constructor(outputs: EngineOutputs) {
    this.#outputs = outputs
  }

  get isIdle(): boolean {
    return this.#unapplied === 0
  }

  /** Hands over what the arc has committed, as far as there is room. */
  deliver(state: ArcState): void {
    this.#heldBack.delete(state)
    if (state.stopped !== null) return
    const { group } = state
    while (state.delivered < group.applicableIndex && this.#unapplied < UNAPPLIED_ENTRIES_MAX) {
      const count = this.#deliverNext(state)
      if (count === 0) break
      state.delivered += count
      this.#unapplied += count
    }
    group.release(Math.min(state.delivered, group.applicableIndex))
    if (state.delivered < group.applicableIndex) this.#heldBack.add(state)
  }

  /** The ledger has applied the arc up to `index`. @returns what that takes off the engine's desk */
  noteApplied(state: ArcState, index: LogIndex): { own: number; chars: number } {
    const isNext = index >= state.applied && index <= state.delivered
    if (!isNext) broken(`N2: arc ${state.arc} applied ${index}`)
    const { entries, own, chars } = state.noteApplied(index)
    this.#unapplied -= entries
    return { own, chars }
  }

  /** An arc that can apply nothing more makes room as well, and may be the last to do so. */
  noteGivenUp(entries: number): void {
    this.#unapplied -= entries
    this.#deliverHeldBack()
  }

  /** The ledger has room again: the arc that made it goes on, then any arc that was held back. */
  goOn(first: ArcState): void {
    this.deliver(first)
    this.#deliverHeldBack()
  }

  #deliverHeldBack(): void {
    for (const state of [...this.#heldBack]) {
      if (this.#unapplied >= UNAPPLIED_ENTRIES_MAX) return
      this.deliver(state)
    }
  }

  /** @returns entries that were handed over; 0: there is no room for what has to be read back */
  #deliverNext(state: ArcState): number {
    const { group, arc } = state
    const index = state.delivered + 1
    const entry = group.entry(index)
    if (entry === undefined) {
      const room = REPLAY_ENTRIES_MAX - this.#unapplied
      if (room <= 0) return 0
      const to = Math.min(group.tailStart - 1, state.delivered + room)
      return this.#outputs.replay(arc, index, to)
    }
    const request = state.requests.get(index) ?? 0
    state.requests.delete(index)
    const { term, payload: body } = entry
    this.#outputs.toLedger({ kind: 'entry', arc, term, index, request, body })
    return 1
  }
}
