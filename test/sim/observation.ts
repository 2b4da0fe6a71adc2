import type {
  AbortReason,
  CapacityOffer,
  Dispatch,
  ToLedger,
} from '@gyre/core/internal/protocol/node/messages.js'
import type { AttemptOutcome } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { ClientOperation } from './operation.js'
import type { FinalState } from './final-state.js'
import type { ProcessEnd } from './sim-process.js'
import type { Refusals } from './sim-refusals.js'
import type { JobTimeline } from './timelines.js'

/**
 * What the simulation shows its checkers: the messages between threads as they leave, what clients
 * asked and were told, what handlers did to the world outside. Nothing here comes from the inside of
 * the code under test.
 */
export type Observation =
  | { readonly kind: 'life-began'; readonly boot: number }
  | { readonly kind: 'life-ended'; readonly end: ProcessEnd }
  | { readonly kind: 'serving' }
  /** A committed entry, as the engine hands it to the ledger. */
  | { readonly kind: 'entry'; readonly entry: Extract<ToLedger, { readonly kind: 'entry' }> }
  /** The engine hands an attempt to the services thread. */
  | { readonly kind: 'dispatched'; readonly dispatch: Dispatch }
  /** The engine asks for an attempt's end. */
  | { readonly kind: 'aborted'; readonly attempt: string; readonly reason: AbortReason }
  /** A handler did something to the world outside. */
  | { readonly kind: 'effect'; readonly effect: OutsideEffect }
  /** A handler asks that its attempt be counted in a record; it is told that it was. */
  | {
      readonly kind: 'counting' | 'counted'
      readonly attempt: string
      readonly key: string
    }
  /** No code of the attempt runs any more: it settled, or its thread or process is gone. */
  | { readonly kind: 'ceased'; readonly attempt: string }
  /** The attempt's end is reported to the engine. */
  | { readonly kind: 'reported'; readonly attempt: string; readonly outcome: AttemptOutcome }
  | {
      readonly kind: 'offered'
      readonly slots: Readonly<Record<string, number>>
      readonly totalSlots: number
      readonly capacity?: CapacityOffer
      /** Absent: none. */
      readonly refused?: Refusals
    }
  | { readonly kind: 'invoked'; readonly operation: ClientOperation }
  /** A client got an answer to one try of its operation. */
  | { readonly kind: 'answered'; readonly operation: ClientOperation; readonly reply: Reply }
  /** The try's outcome will never be known: its node died or stayed silent. */
  | { readonly kind: 'unanswered'; readonly operation: ClientOperation }
  /** An answer came to no open request. */
  | { readonly kind: 'answered-unasked'; readonly request: number }
  /** A fault took something from the node's disk, or kept it from writing. */
  | { readonly kind: 'harmed'; readonly harm: Harm }
  /** A look at every job and what its history says of refusals, while things may go on. */
  | { readonly kind: 'looked'; readonly timelines: readonly JobTimeline[] }
  /** Nothing that the disk, the ledger thread or the engine is asked for comes back in this time. */
  | { readonly kind: 'stalls'; readonly part: StallingPart; readonly ms: number }
  /** The node has told that its disk stands still, or that it does so no more. */
  | { readonly kind: 'stall-told'; readonly code: string; readonly isOver: boolean }
  /** The node has told that an arc is damaged and stands still. */
  | { readonly kind: 'arc-damage-told'; readonly message: string }
  /** The node has told of rot in its log. */
  | { readonly kind: 'log-rot-told'; readonly message: string }
  /** The state holds, durably, all that stood where the log has rotted. */
  | { readonly kind: 'rot-is-covered' }
  /** Nothing has disturbed the node for as long as its scrub may need to find all that is rotten. */
  | { readonly kind: 'had-time-to-scrub' }
  /** Everything has come to rest. */
  | { readonly kind: 'rested'; readonly state: FinalState }
  /** Nothing moves any more, and yet this is not rest: the run ends here. */
  | { readonly kind: 'stood-still'; readonly held: Held }

export type StallingPart = 'log' | 'state' | 'engine'

/** What a node may give up for, or refuse to start for. */
export type Harm =
  /** One write or sync fails. */
  | 'io-failed'
  /** There is no room for files for a while. */
  | 'disk-full'
  /** There is no room for the state table for a while. */
  | 'state-full'
  /** The state table is gone. */
  | 'state-lost'
  /** A row of the state table is rotten. */
  | 'state-rotten'
  /** A bit of the log is flipped. */
  | 'log-rotten'

/** What a node says that it holds. */
export interface Held {
  /** Jobs that are not final, in words. */
  readonly openJobs: readonly string[]
  /** Attempts that the node counts as running; slots of them. */
  readonly runningAttempts: number
  readonly pendingProposals: number
}

/** Something that a handler did outside Gyre, and that no crash of a node undoes. */
export interface OutsideEffect {
  readonly attempt: string
  readonly job: string
  readonly step: string
  readonly item: number | null
  readonly hook: 'run' | 'compensate'
  readonly number: number
  readonly fence: number
  readonly idempotencyKey: string
}

/** Checks one property. Independent of the code under test; throws `Violation` when it is broken. */
export interface Checker {
  readonly name: string
  observe(at: number, observation: Observation): void
}

/** The product lied. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly checker: string

  constructor(checker: string, message: string) {
    super(`${checker}: ${message}`)
    this.checker = checker
  }
}
