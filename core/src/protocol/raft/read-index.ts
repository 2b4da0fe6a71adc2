import { assert } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'
import type { Configuration, Replica, ReplicaId } from './configuration.js'
import { READS_COUNT_MAX } from './limits.js'
import { reachedByMajority } from './quorum.js'

/** A read that may be answered once everything up to `index` is applied. */
export interface ConfirmedRead {
  /** Null: asked here, else the follower that asked. */
  readonly asker: Replica | null
  readonly read: number
  readonly index: LogIndex
}

interface PendingRead extends ConfirmedRead {
  /** Confirmed by heartbeats that were sent with this position or a later one. */
  readonly position: number
}

/**
 * Reads at a leader (dissertation §6.4): the commit index of now is good for a read once a majority
 * has answered a heartbeat that was sent *after* the read came: then nobody else led at that moment.
 *
 * D1  positions rise for the whole term and are never used again, so an old answer confirms nothing
 *     new. etcd named rounds by what clients chose, and read stale data after a pause (#20418).
 * D2  positions rise only when heartbeats go out: a round confirms reads that came before it.
 */
export class ReadIndex {
  readonly #self: ReplicaId
  #position = 0
  #pending: PendingRead[] = []
  readonly #answered = new Map<ReplicaId, number>()
  #isRoundDue = false

  constructor(self: ReplicaId) {
    this.#self = self
  }

  /** What the next heartbeats carry. */
  get position(): number {
    return this.#position
  }

  /** True when reads wait for heartbeats that are not sent yet. */
  get isRoundDue(): boolean {
    return this.#isRoundDue
  }

  get isFull(): boolean {
    return this.#pending.length >= READS_COUNT_MAX
  }

  add(read: ConfirmedRead): void {
    assert(!this.isFull, 'the caller refuses reads above the bound')
    this.#pending.push({ ...read, position: this.#position + 1 })
    this.#isRoundDue = true
  }

  /** Heartbeats go out now. */
  beginRound(): number {
    if (this.#isRoundDue) this.#position += 1
    this.#isRoundDue = false
    return this.#position
  }

  answered(voter: ReplicaId, position: number): void {
    assert(position <= this.#position, 'D1: an answer to what was never sent')
    this.#answered.set(voter, Math.max(position, this.#answered.get(voter) ?? 0))
  }

  /** Takes the reads that are confirmed by now, in the order of asking. */
  takeConfirmed({ voters }: Configuration): readonly ConfirmedRead[] {
    if (this.#pending.length === 0) return []
    const reached = reachedByMajority(
      voters.map(({ replicaId }) =>
        replicaId === this.#self ? this.#position : (this.#answered.get(replicaId) ?? 0),
      ),
    )
    const end = this.#pending.findIndex(({ position }) => position > reached)
    return this.#pending.splice(0, end === -1 ? this.#pending.length : end)
  }

  /** Leadership is over: nobody can confirm them any more. */
  takeAll(): readonly ConfirmedRead[] {
    return this.#pending.splice(0)
  }
}
