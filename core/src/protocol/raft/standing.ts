import type { LogIndex, Term } from '../../base/ids.js'
import { type Configuration, isRemoved, type Replica, voterIn } from './configuration.js'
import type { LogEnd } from './messages.js'

/** An entry that this replica may have acknowledged and has lost (W5). */
export interface SuspectTail {
  readonly term: Term
  readonly index: LogIndex
}

/**
 * Whether a replica may take part: vote, acknowledge, campaign. What its disk has lost or the group
 * has decided takes it out, for good or for a time.
 *
 * - quarantined: it has lost entries that it acknowledged (W4): no vote, no acknowledgement, for ever
 * - removed: out of a committed configuration (R2): likewise
 * - suspect: the newest batch has rotted, so it may have lost an entry that it acknowledged (W5): it
 *   votes only for logs that cannot lack that entry, until its own is such a log again
 * - disk stalled (D1): whoever cannot write neither leads nor helps to elect
 */
export class Standing {
  readonly #self: Replica
  #suspectTail: SuspectTail | null
  #isQuarantined: boolean
  #isRemoved = false
  diskStalled = false
  /** The host's reason not to lead, e.g. an entry that this version cannot apply (U2). */
  blocked: string | null = null

  constructor(
    self: Replica,
    start: { readonly suspectTail: SuspectTail | null; readonly isQuarantined: boolean },
  ) {
    this.#self = self
    this.#suspectTail = start.suspectTail
    this.#isQuarantined = start.isQuarantined
  }

  get isRemoved(): boolean {
    return this.#isRemoved
  }

  get isSuspect(): boolean {
    return this.#suspectTail !== null
  }

  /** Why nothing of this replica counts any more; null: it does. */
  get out(): 'removed' | 'quarantined' | null {
    if (this.#isRemoved) return 'removed'
    return this.#isQuarantined ? 'quarantined' : null
  }

  becomeQuarantined(): void {
    this.#isQuarantined = true
  }

  becomeRemoved(): void {
    this.#isRemoved = true
  }

  /** An append was accepted, and the log now ends so. */
  noteLog(end: LogEnd): void {
    if (this.#suspectTail !== null && !lacks(end, this.#suspectTail)) this.#suspectTail = null
  }

  /** Why it votes for nobody, or not for this one; null: it may. */
  voteBar(config: Configuration, candidate: LogEnd): string | null {
    if (this.diskStalled) return 'disk-stalled'
    if (config.voters.length === 0) return 'inert'
    const tail = this.#suspectTail
    return tail !== null && lacks(candidate, tail) ? 'tail-suspect' : null
  }

  /** Why it does not campaign (E6); null: it may. */
  campaignBar(config: Configuration): string | null {
    if (this.out !== null) return this.out
    if (this.diskStalled) return 'disk-stalled'
    if (this.#suspectTail !== null) return 'tail-suspect'
    if (this.blocked !== null) return 'blocked'
    if (isRemoved(config, this.#self)) return 'not-a-member'
    return voterIn(config, this.#self.replicaId) === undefined ? 'not-a-voter' : null
  }
}

/** True when a log that ends so may lack the entry. */
function lacks({ lastTerm, lastIndex }: LogEnd, { term, index }: SuspectTail): boolean {
  return lastTerm < term || (lastTerm === term && lastIndex < index)
}
